#pragma once

#include "fs/archive/expansion.hpp"
#include "fs/pattern/ignore.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A build context that lies in a directory of this machine.
struct LocalContext {
  std::string path; ///< Of the directory, for messages: what the user wrote, or where it went.
  Fd root;          ///< The directory, open.
  std::optional<TempDir> unpacked; ///< What it was unpacked into, removed with this value.
  std::optional<Time> newest = {}; ///< The latest time of an archive's entries.
};

/// Where a context is asked for and what it may use.
struct LocalContextRequest {
  std::string context;     ///< A path, "dir://PATH", "tar://PATH", "tar://stdin" or "-".
  std::string sub_path;    ///< --context-sub-path: the directory in it that is the context.
  std::string temporary;   ///< Where archives are unpacked: an existing directory.
  FdRef standard_input{0}; ///< What "tar://stdin" and "-" read. Borrowed.
  ExpansionLimit limit{};  ///< Of archives.
};

/// True for the forms that open_local_context() knows.
bool is_local_context(std::string_view context) noexcept;
/// The directory or archive that such a form names; nothing for standard input and other forms.
std::optional<std::string> local_path(std::string_view context);

/// Opens a directory, or unpacks a tar below `temporary`. @throws Error naming the context
LocalContext open_local_context(const LocalContextRequest& request);

/// Unpacks a tar stream (plain, gzip, zstd, bzip2 or xz, told by its first bytes) into a directory
/// of its own below `temporary`; nothing is ever written outside it. Files belong to this process,
/// whatever the archive says: a context has no owners. `name` is for messages.
LocalContext unpack_context(Source& archive, const std::string& name, const std::string& temporary,
                            ExpansionLimit limit);

/// Makes a directory of the context the context. Links in `sub_path` stay inside.
/// @throws Error when there is no such directory
void enter_sub_path(LocalContext& context, const std::string& sub_path);

/// A Dockerfile and the ignore rules that go with it.
struct DockerfileText {
  std::string name; ///< As the user called it.
  std::string text;
  std::string ignore_name; ///< "Dockerfile.dockerignore" or ".dockerignore"; "" without one.
  std::vector<IgnoreLine> ignore;
};

/// Finds `dockerfile` in the directory `working_directory`, then in the context, as kaniko does;
/// "Dockerfile" may also be spelled "dockerfile". "NAME.dockerignore" beside it goes before the
/// context's ".dockerignore". @throws Error when there is none
DockerfileText find_dockerfile(const LocalContext& context, const std::string& dockerfile,
                               FdRef working_directory);

/// The rules of the context's own ".dockerignore", for a Dockerfile that is from elsewhere.
void read_ignore_file(const LocalContext& context, DockerfileText& to);

} // namespace cairn
