#pragma once

#include "fs/ignore.hpp"
#include "util/fd.hpp"
#include "util/file.hpp"
#include "util/rooted_path.hpp"
#include "util/stream.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// A build context that lies in a directory of this machine.
struct LocalContext {
  std::string path;                ///< Of the directory, for messages.
  Fd root;                         ///< The directory, open.
  std::optional<TempDir> unpacked; ///< What it was unpacked into, removed with this value.
};

/// Where a context is asked for and what it may use.
struct LocalContextRequest {
  std::string context;     ///< A path, "dir://PATH", "tar://PATH", "tar://stdin" or "-".
  std::string sub_path;    ///< --context-sub-path; must be below the context.
  std::string temporary;   ///< Where archives are unpacked: an existing directory.
  FdRef standard_input{0}; ///< Where tar://stdin and "-" read.
};

/// True for the forms that open_local_context() knows.
bool is_local_context(std::string_view context);

/// Opens a directory, or unpacks a tar (plain, gzip or zstd, told by its first bytes) below
/// `temporary`. @throws Error naming the context
LocalContext open_local_context(const LocalContextRequest& request);

/// Unpacks a tar stream (compressed or not) into a directory of its own below `temporary`.
/// Nothing is ever written outside it. `name` is for messages.
LocalContext unpack_context(Source& tar, const std::string& name, const std::string& temporary);

/// A Dockerfile and the ignore rules that go with it.
struct DockerfileText {
  std::string name; ///< As it is called in messages: "Dockerfile".
  std::string text;
  std::string ignore_name; ///< "Dockerfile.dockerignore" or ".dockerignore"; "" when there is none.
  std::vector<IgnoreLine> ignore;
};

/// Finds `dockerfile` relative to the directory `working_directory` and then in the context;
/// "Dockerfile" may be spelled "dockerfile". "NAME.dockerignore" beside it goes before the
/// context's ".dockerignore". @throws Error when there is none
DockerfileText find_dockerfile(const LocalContext& context, const std::string& dockerfile,
                               FdRef working_directory);

} // namespace cairn
