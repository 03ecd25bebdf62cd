#pragma once

#include "builder/options/cache_location.hpp"
#include "context/git/git_context.hpp"
#include "context/git/git_services.hpp"
#include "fs/archive/expansion.hpp"
#include "fs/archive/layer.hpp"
#include "oci/manifest.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "registry/push.hpp"
#include "run/isolation_probe.hpp"
#include "util/clock.hpp"

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

using NameValue = std::pair<std::string, std::string>;

/// Where the build's files come from.
struct ContextOptions {
  GitContextOptions git;               ///< For a repository.
  std::string context = "/workspace/"; ///< Directory or URL, as given to --context.
  std::string sub_path;                ///< --context-sub-path
  std::string dockerfile = "Dockerfile";
  /// --build-context NAME=SOURCE: replaces stages and images of that name.
  std::vector<NameValue> named;
};

/// What is built.
struct LanguageOptions {
  std::vector<NameValue> build_args; ///< The executor's own environment is already filled in.
  std::vector<std::string> targets;  ///< Names or indexes; the first is the image. Empty: the last.
  Platform target_platform = Platform::host();
  bool platform_is_asked_for = false; ///< Otherwise an image has the platform of its base.
  Platform build_platform = Platform::host();
  std::vector<NameValue> labels;
};

enum class SnapshotScope { each_step, whole_stage };

/// What becomes of the files that a build in place has put into the container's "/".
enum class Leftovers { stay, are_removed };

/// A place on this machine that a flag or a variable names.
struct NamedPath {
  enum class Use { read, written } use = Use::read;
  std::string option; ///< "--context", "AWS_CONFIG_FILE"
  std::string path;   ///< Absolute; need not exist when it is written.
};

/// --base-volume NAME=PATH: where this machine has an image unpacked.
struct BaseVolume {
  ImageRef image;
  std::string path; ///< Absolute.
};

/// How it is built.
struct ExecutionOptions {
  Isolation isolation = Isolation::automatic;
  Force force = Force::no;
  SnapshotScope snapshots = SnapshotScope::each_step;
  Leftovers leftovers = Leftovers::stay;
  std::vector<std::string> ignore_paths; ///< --ignore-path: in no layer, never touched.
  /// Every path that this build was given, by whatever option: not to be removed for it.
  std::vector<NamedPath> named_paths;
  std::vector<BaseVolume> base_volumes; ///< Each for another image.
  /// Blobs, unpacked roots and temporary files; absolute.
  std::string work_directory = "/kaniko";
  /// What is kept from build to build; nothing: "/cache", where that can be written.
  std::optional<std::string> cache_directory;
  /// How many bytes may be kept there; 0 for no limit.
  std::uint64_t cache_max_size = 0;
  /// Of archives and of layers of base images.
  ExpansionLimit unpacked = {};
  /// --jobs: stages that are built, and layers that are read or written, at the same time.
  std::size_t jobs = 2;
};

/// What commands see besides the image's own files.
struct CommandOptions {
  std::string hostname = "buildkitsandbox";
  std::vector<NameValue> hosts; ///< --add-host: names with their addresses.
  /// --secret: values by id. Never shown, stored or written anywhere but into a RUN's mount and,
  /// for HTTP_AUTH_TOKEN_<host>, HTTP_AUTH_HEADER_<host>, GIT_AUTH_TOKEN[.<host>] and
  /// GIT_AUTH_HEADER[.<host>], into requests to that host.
  std::map<std::string, std::string> secrets;
  std::map<std::string, std::string> agents; ///< --ssh: paths of agents' sockets by id.
  /// For repositories over ssh: what the files of known_hosts hold.
  std::string known_hosts;
  SshAccess::UnknownHosts unknown_hosts = SshAccess::UnknownHosts::accept;
};

/// Layers of steps that are kept from build to build.
struct CacheOptions {
  bool enabled = false;
  /// --cache-repo. Nothing: beside the first destination.
  std::optional<CacheLocation> repository;
  bool push = true; ///< Whether anything is added to the repository.
  /// Whether layers are read even if it is known from a cache what they hold.
  bool verify_indexes = false;
  bool run_layers = true;
  bool copy_layers = true; ///< COPY, ADD and WORKDIR.
  std::chrono::nanoseconds time_to_live = std::chrono::hours(14 * 24);
};

/// Cache mounts of machines that keep nothing.
struct CacheMountOptions {
  std::vector<CacheLocation> import_from; ///< Earlier ones first.
  std::vector<CacheLocation> export_to;
};

/// When files and images say they were made.
struct TimeOptions {
  /// The image's time; later times of files in new layers become it. The Plan says it.
  std::optional<Time> epoch;
  /// --reproducible: all times in new layers become the epoch, or 1970 without one.
  bool reproducible = false;
};

/// What is written once the build has succeeded: to a file, or by PUT to an https:// URL. What is
/// empty is not written.
struct ReportOptions {
  std::string digest_file;
  std::string image_name_with_digest_file;
  std::string image_name_tag_with_digest_file;
  /// For pipelines: without a line end, and with commas between several.
  std::string image_url_file;
  std::string images_file;
  std::string base_images_file;
  /// Bytes that the digest and the three above may have together, as a pipeline wants it; 0: any.
  std::uint64_t results_limit = 0;
  /// $BUILDER_OUTPUT: a directory where Google Cloud Build reads which images a step has pushed.
  std::string builder_output;
};

/// All of them, for whoever treats them alike.
inline constexpr std::array report_files = {&ReportOptions::digest_file,
                                            &ReportOptions::image_name_with_digest_file,
                                            &ReportOptions::image_name_tag_with_digest_file,
                                            &ReportOptions::image_url_file,
                                            &ReportOptions::images_file,
                                            &ReportOptions::base_images_file};

enum class PushImage { yes, no };

/// Where the image goes.
struct OutputOptions {
  std::vector<ImageRef> destinations;
  PushImage push = PushImage::yes;
  ImmutableTags immutable_tags = ImmutableTags::fail;
  std::string tar_path;
  std::string oci_layout_path;
  std::string failed_push_layout_path; ///< Written when the push fails, unless the other one is.
  ReportOptions reports;
  std::optional<ImageFormat> format; ///< Nothing: the base image's.
  CompressionChoice compression;
  Annotations annotations;
};

/// Everything that one build was asked for. Immutable once parsed.
struct BuildOptions {
  ContextOptions context;
  LanguageOptions language;
  ExecutionOptions execution;
  CommandOptions commands;
  CacheOptions cache;
  CacheMountOptions cache_mounts;
  TimeOptions times;
  OutputOptions output;
};

} // namespace cairn
