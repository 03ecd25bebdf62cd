#pragma once

#include "context/download/url_source.hpp"
#include "context/git/git_id.hpp"
#include "context/git/git_reference.hpp"
#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/mount.hpp"
#include "dockerfile/syntax/source.hpp"
#include "oci/image_config.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "run/process/runner.hpp"
#include "util/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

/// An image that a build starts from or copies from.
struct ImageSource {
  std::string name;                  ///< As the user wrote it.
  std::optional<ImageRef> reference; ///< In a registry; nothing for a layout.
  std::string layout_path;           ///< An OCI image layout directory.
  std::optional<std::string> layout_tag;
  std::optional<Digest> layout_digest;
  Platform platform;
  std::string hint; ///< What else the name may have meant, should there be no such image; or "".

  /// Sources with the same key are the same image.
  std::string key() const;
};

/// A directory that is neither the main context nor an image: --build-context NAME=PATH.
struct DirectorySource {
  std::string path;
};

/// A git repository at a commit, or a directory of it.
struct GitSource {
  GitReference reference;
  std::string text; ///< As it may be shown.

  /// Sources with the same key are the same files. With the password, if there is one.
  std::string key() const;
  /// The same for a cache: what the files are at that commit, without secrets.
  std::string identity(const GitId& commit) const;
};

/// A stage of the Plan, by its position in Plan::stages.
struct StageSource {
  std::size_t index = 0;
};

struct MainContext {};
struct EmptyFilesystem {};

/// What a stage starts from.
using StageBase = std::variant<EmptyFilesystem, StageSource, ImageSource>;
/// What COPY and mounts read from. A URL is an archive, or a file by itself.
using FileOrigin = std::variant<MainContext, DirectorySource, UrlSource, GitSource, StageSource,
                                ImageSource, EmptyFilesystem>;

/// Where an instruction stands, for messages.
struct Place {
  std::shared_ptr<const SourceFile> source;
  SourceRange range;
};

/// Only the configuration changes.
struct ConfigAction {};

/// A path in the origin, or a pattern for several.
struct LocalSource {
  std::string pattern;
};

/// What COPY and ADD are given.
using CopyOperand = std::variant<LocalSource, UrlSource, GitSource>;

/// COPY and ADD, everything expanded.
struct CopyAction {
  enum class Kind { copy, add } kind = Kind::copy;
  FileOrigin from;
  std::vector<CopyOperand> sources;
  std::vector<instruction::InlineFile> files; ///< Heredocs; content is final.
  std::string destination; ///< A trailing slash counts. Relative to `working_directory`.
  std::string working_directory;
  std::optional<std::string> chown;
  std::optional<std::string> chmod;
  std::vector<std::string> excludes;
  bool link = false;
  bool parents = false;
  std::optional<bool> unpack; ///< Nothing: local archives are unpacked, downloads are not.
};

/// WORKDIR: makes the directory where it is missing, owned by `user`.
struct DirectoryAction {
  std::string path;
  std::string user;
};

/// Files of an origin, shown to a command. What it writes there is gone after it.
struct BindPlan {
  FileOrigin from;
  std::string source; ///< Absolute, in the origin.
  MountAccess access = MountAccess::read_only;
};

/// Who gets the directory of a cache mount when it is made.
struct CacheOwner {
  std::uint32_t mode = 0755;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// A directory that is kept from build to build. Those that differ in id, name space, owner or in
/// what they hold in the beginning are different directories.
struct CachePlan {
  std::string id;           ///< Within its name space.
  std::string name_space;   ///< BUILDKIT_CACHE_MOUNT_NS; may be empty.
  FileOrigin from;          ///< What it holds in the beginning.
  std::string source = "/"; ///< Which part of it the command sees; absolute.
  instruction::CacheSharing sharing = instruction::CacheSharing::shared;
  MountAccess access = MountAccess::read_write;
  std::optional<CacheOwner> owner; ///< Nothing: as it is in `from`.
};

struct TmpfsPlan {
  std::optional<std::uint64_t> size; ///< Bytes.
};

/// What a secret or an agent's socket looks like to the command.
struct SecretFile {
  std::uint32_t mode = 0400;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// A secret as a variable, when `variable` is set, and as a file, when the mount has a target.
struct SecretPlan {
  std::string id;
  std::optional<std::string> variable;
  SecretFile file;
  bool required = false;
};

struct SshPlan {
  std::string id;
  SecretFile socket;
  bool required = false;
};

using MountKind = std::variant<BindPlan, CachePlan, TmpfsPlan, SecretPlan, SshPlan>;

/// `RUN --mount`, everything expanded and every default applied.
struct MountPlan {
  std::string target; ///< Absolute and clean; "" for a secret that is a variable alone.
  MountKind kind;
};

/// RUN.
struct RunAction {
  std::vector<std::string> argv;
  Environment environment; ///< Image, ENV and ARG; HOME is up to the user's passwd entry.
  Environment proxies;     ///< Predefined arguments: in no history and no cache key.
  /// What the command gets of both; proxies go over the rest.
  Environment whole_environment() const;
  std::string working_directory;
  std::string user;                              ///< "" is root.
  std::optional<instruction::InlineFile> script; ///< To be at /dev/pipes/<name> while it runs.
  instruction::RunNetwork network = instruction::RunNetwork::standard;
  std::vector<MountPlan> mounts; ///< Those above before those below them.
};

using Action = std::variant<ConfigAction, CopyAction, DirectoryAction, RunAction>;

/// Shows what an action reads files from: the origin of a COPY, those of a command's mounts.
void visit_origins(const Action& action, const std::function<void(const FileOrigin&)>& visit);

struct Step {
  Place place;
  std::string text;       ///< The instruction as written, on one line.
  std::string created_by; ///< BuildKit's history form; "" leaves no entry.
  Action action;
};

/// One stage with all that can be known without touching a file.
struct StagePlan {
  std::string name;       ///< "" when it has none.
  std::size_t number = 0; ///< Counted from 0 in the Dockerfile.
  Place place;
  StageBase base;
  std::vector<Step> steps;
  /// The stage's configuration; diff ids and history are those of the base alone.
  ImageConfig config;
};

/// What will be built: the stages that are needed, each after those it depends on.
struct Plan {
  std::vector<StagePlan> stages;
  std::size_t target = 0;           ///< The stage that becomes the image.
  std::vector<std::size_t> targets; ///< All that are to be built: `target` and others asked for.
  std::optional<Time> epoch;        ///< SOURCE_DATE_EPOCH
};

/// The image that a stage begins with, through the stages it is built on; null for none.
const ImageSource* base_image_of(const Plan& plan, std::size_t stage);

} // namespace cairn
