#include "apps/executor/flag_table.hpp"

#include "apps/executor/command_inputs.hpp"
#include "apps/executor/git_options.hpp"
#include "apps/shared/common_flags.hpp"
#include "apps/shared/output_flags.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

using enum FlagType;
using enum Support;

constexpr std::string_view context_group = "Build context";
constexpr std::string_view image_group = "Image";
constexpr std::string_view execution_group = "Execution";
constexpr std::string_view cache_group = "Cache";
constexpr std::string_view old_group = "Old names";

using Parsed = ParsedExecutorFlags;
using Value = FlagValue;

void refuse_if(bool asks_for_work) {
  if (asks_for_work)
    throw Error("not supported yet");
}

/// For flags that change nothing: their type has been checked.
constexpr auto accept = [](ParsedExecutorFlags&, const FlagValue&) {};
constexpr auto refuse_any_text = [](ParsedExecutorFlags&, const FlagValue& v) {
  refuse_if(!v.empty());
};
constexpr auto refuse_true = [](ParsedExecutorFlags&, const FlagValue& v) {
  refuse_if(v.boolean());
};

void add_build_arg(ParsedExecutorFlags& given, const FlagValue& value) {
  given.build_args.push_back(parse_build_arg(value.text()));
}

void add_targets(ParsedExecutorFlags& given, const FlagValue& value) {
  for (const auto& target : value.words())
    given.command.build.language.targets.push_back(target);
}

void set_platform(ParsedExecutorFlags& given, const FlagValue& value) {
  if (value.empty())
    return;
  auto& language = given.command.build.language;
  language.target_platform = Platform::parse(value.text());
  language.platform_is_asked_for = true;
}

void set_cache_repository(ParsedExecutorFlags& given, const FlagValue& value) {
  if (!value.empty())
    given.command.build.cache.repository = CacheLocation::parse(value.text());
}

void set_cache_directory(ParsedExecutorFlags& given, const FlagValue& value) {
  if (!value.empty() && !value.text().starts_with('/'))
    throw Error("'{}' is not an absolute path", value.text());
  if (!value.empty())
    given.command.build.execution.cache_directory = value.text();
}

void set_jobs(ParsedExecutorFlags& given, const FlagValue& value) {
  constexpr unsigned most = 64;
  const auto jobs = value.count();
  if (jobs == 0 || jobs > most)
    throw Error("{} is not a number from 1 to {}", jobs, most);
  given.jobs = jobs;
}

void set_compression(ParsedExecutorFlags& given, const FlagValue& value) {
  auto& method = given.command.build.output.compression.method;
  if (value.text() == "gzip")
    method = Compression::gzip;
  else if (value.text() == "zstd")
    method = Compression::zstd;
  else
    throw Error("'{}' is neither gzip nor zstd", value.text());
}

void set_level(ParsedExecutorFlags& given, const FlagValue& value) {
  const auto level = value.integer();
  constexpr std::int64_t strongest = 22; // zstd's
  if (level < -1 || level > strongest)
    throw Error("{} is not between -1 and {}", level, strongest);
  if (level > 0)
    given.command.build.output.compression.level = static_cast<int>(level);
}

void set_format(ParsedExecutorFlags& given, const FlagValue& value) {
  auto& format = given.command.build.output.format;
  if (value.text() == "oci")
    format = ImageFormat::oci;
  else if (value.text() == "docker")
    format = ImageFormat::docker;
  else if (!value.empty())
    throw Error("'{}' is neither docker nor oci", value.text());
}

void set_check_format(ParsedExecutorFlags& given, const FlagValue& value) {
  if (value.text() == "text")
    given.check_format = CheckFormat::text;
  else if (value.text() == "json")
    given.check_format = CheckFormat::json;
  else
    throw Error("'{}' is neither text nor json", value.text());
}

void set_isolation(ParsedExecutorFlags& given, const FlagValue& value) {
  auto& isolation = given.command.build.execution.isolation;
  if (value.text() == "auto")
    isolation = Isolation::automatic;
  else if (value.text() == "namespace")
    isolation = Isolation::namespaces;
  else if (value.text() == "supervised")
    isolation = Isolation::supervised;
  else if (value.text() == "inplace")
    isolation = Isolation::inplace;
  else if (value.text() == "none")
    isolation = Isolation::none;
  else
    throw Error("'{}' is none of auto, namespace, supervised, inplace, none", value.text());
}

void add_ignored_path(ParsedExecutorFlags& given, const FlagValue& value) {
  const auto path = RootedPath::parse(value.text());
  if (path.is_root())
    throw Error("'{}' would leave out the whole filesystem", value.text());
  given.command.build.execution.ignore_paths.push_back(path.str());
}

void add_base_volume(ParsedExecutorFlags& given, const FlagValue& value) {
  auto [name, path] = value.name_value();
  auto image = ImageRef::parse(name);
  if (!path.starts_with('/'))
    throw Error("'{}' is not an absolute path", path);
  auto& volumes = given.command.build.execution.base_volumes;
  for (const auto& volume : volumes)
    if (volume.image.str() == image.str())
      throw Error("'{}' is given twice", name);
  volumes.push_back({std::move(image), std::move(path)});
}

void check_snapshot_mode(ParsedExecutorFlags&, const FlagValue& value) {
  for (const std::string_view mode : {"full", "redo", "time"})
    if (value.text() == mode)
      return;
  throw Error("'{}' is none of full, redo, time", value.text());
}

// clang-format would give every member of a row its own line.
// clang-format off
/// What a constant can hold of a flag.
struct Row {
  FlagSpec spec;
  void (*apply)(ParsedExecutorFlags& given, const FlagValue& value);
};

constexpr Row own_flags[] = {
  {{.name = "context", .shorthand = "c", .group = context_group, .preset = "/workspace/",
    .help = "Where the files of the build come from: a directory, dir://PATH, tar://PATH, tar://stdin, https://URL or a git repository"},
   [](Parsed& d, const Value& v) { d.command.build.context.context = v.text(); }},
  {{.name = "dockerfile", .shorthand = "f", .group = context_group, .preset = "Dockerfile",
    .help = "The Dockerfile, relative to the current directory or else to the context, or https://URL"},
   [](Parsed& d, const Value& v) { d.command.build.context.dockerfile = v.text(); }},
  {{.name = "context-sub-path", .group = context_group,
    .help = "The directory of the context that counts as its root"},
   [](Parsed& d, const Value& v) { d.command.build.context.sub_path = v.text(); }},
  {{.name = "context-base", .group = context_group,
    .help = "The directory that --context is a path in, also where it begins with a slash; a URL or repository stays one"},
   [](Parsed& d, const Value& v) { d.context_base = v.text(); }},
  {{.name = "build-context", .type = list, .group = context_group,
    .help = "NAME=SOURCE, a further context for FROM, COPY --from and mounts: a directory, docker-image://REF, oci-layout://PATH, https://URL or a git repository"},
   [](Parsed& d, const Value& v) { d.command.build.context.named.push_back(v.name_value()); }},
  {{.name = "git", .type = list, .group = context_group,
    .help = "branch=, recurse-submodules= or insecure-skip-tls=, for --context=git://"},
   add_git_options},
  {{.name = "bucket", .shorthand = "b", .support = later, .group = context_group,
    .help = "The bucket that holds the context", .visibility = Visibility::hidden},
   refuse_any_text},

  {{.name = "target", .type = list, .group = image_group,
    .help = "The stage to build, by name or number; of several the first becomes the image"},
   add_targets},
  {{.name = "build-arg", .type = list, .group = image_group,
    .help = "NAME=value for an ARG; NAME alone takes the value of the environment"},
   add_build_arg},
  {{.name = "label", .type = list, .group = image_group,
    .help = "name=value, a label of the image"},
   [](Parsed& d, const Value& v) { d.command.build.language.labels.push_back(v.name_value()); }},
  {{.name = "custom-platform", .group = image_group, .preset = "this machine's",
    .help = "os/arch[/variant] of the image and of base images"},
   set_platform},
  {{.name = "secret", .type = list, .group = image_group,
    .help = "id=ID[,src=FILE][,env=VARIABLE][,type=file|env], for RUN --mount=type=secret, private downloads and git repositories"},
   add_secret},
  {{.name = "ssh", .type = list, .group = image_group,
    .help = "ID[=SOCKET] of an ssh-agent, for RUN --mount=type=ssh and git repositories over ssh; without SOCKET that of SSH_AUTH_SOCK"},
   add_agent},
  {{.name = "add-host", .type = list, .group = image_group,
    .help = "NAME:ADDRESS, a further line of /etc/hosts for commands"},
   add_host},
  {{.name = "hostname", .group = image_group, .preset = "buildkitsandbox",
    .help = "The hostname that commands see"},
   [](Parsed& d, const Value& v) { d.hostname = v.text(); }},
  {{.name = "check", .type = boolean, .group = image_group, .preset = "false",
    .help = "Report what is doubtful in the Dockerfile and build nothing"},
   [](Parsed& d, const Value& v) { d.check = v.boolean(); }},
  {{.name = "check-format", .group = image_group, .preset = "text",
    .help = "How --check reports on stdout: text or json"},
   set_check_format},

  {{.name = "no-push", .type = boolean, .group = output_group, .preset = "false",
    .help = "Build without pushing"},
   [](Parsed& d, const Value& v) { d.no_push = v.boolean(); }},
  {{.name = "tar-path", .group = output_group,
    .help = "Also write the image to this file, in the form of docker save"},
   [](Parsed& d, const Value& v) { d.command.build.output.tar_path = v.text(); }},
  {{.name = "oci-layout-path", .group = output_group,
    .help = "Also write the image to this directory, as an OCI image layout"},
   [](Parsed& d, const Value& v) { d.command.build.output.oci_layout_path = v.text(); }},
  {{.name = "oci-layout-on-push-failure", .group = output_group,
    .help = "Write the image to this directory when it cannot be pushed, for executor push to try again"},
   [](Parsed& d, const Value& v) { d.command.build.output.failed_push_layout_path = v.text(); }},
  {{.name = "base-images-file", .group = output_group,
    .help = "The file to write the images that were built from to, as for --images-file"},
   [](Parsed& d, const Value& v) { d.command.build.output.reports.base_images_file = v.text(); }},
  {{.name = "results-limit", .group = output_group, .preset = "0",
    .help = "How many bytes a pipeline takes of the digest, URL, images and base images together: what is too much is left empty, with a warning; 0 for no limit"},
   [](Parsed& d, const Value& v) { d.command.build.output.reports.results_limit = v.bytes(); }},
  {{.name = "image-format", .group = output_group, .preset = "the base image's",
    .help = "The media types of the image: docker or oci"},
   set_format},
  {{.name = "compression", .group = output_group, .preset = "gzip",
    .help = "How new layers are compressed: gzip or zstd"},
   set_compression},
  {{.name = "compression-level", .type = integer, .group = output_group, .preset = "-1",
    .help = "How much, 1 to 9 for gzip, 1 to 22 for zstd; -1 leaves it to Cairn"},
   set_level},
  {{.name = "reproducible", .type = boolean, .group = output_group, .preset = "false",
    .help = "Give all files in new layers one time: SOURCE_DATE_EPOCH, or 1970"},
   [](Parsed& d, const Value& v) { d.command.build.times.reproducible = v.boolean(); }},

  {{.name = "isolation", .group = execution_group, .preset = "auto",
    .help = "Where commands run: namespace, supervised, inplace or none; auto takes the first that works"},
   set_isolation},
  {{.name = "force", .type = boolean, .group = execution_group, .preset = "false",
    .help = "Work in place although this does not look like a container"},
   [](Parsed& d, const Value& v) {
     d.command.build.execution.force = v.boolean() ? Force::yes : Force::no;
   }},
  {{.name = "kaniko-dir", .group = execution_group, .preset = "/kaniko",
    .help = "The executor's own directory, for blobs and temporary files"},
   [](Parsed& d, const Value& v) { d.work_directory = v.text(); }},
  {{.name = "ignore-path", .type = list, .group = execution_group,
    .help = "A path that is in no layer and is left alone"},
   add_ignored_path},
  {{.name = "base-volume", .type = list, .group = execution_group,
    .help = "NAME=PATH: the base image NAME is mounted read-only at PATH, unpacked by the node, and used from there when it is what the registry has"},
   add_base_volume},
  {{.name = "max-unpacked-size", .group = execution_group, .preset = "16G",
    .help = "How much an archive or a layer of a base image may hold beyond a hundred times its own size; 0 for no limit"},
   [](Parsed& d, const Value& v) { d.command.build.execution.unpacked = expansion_limit(v); }},
  {{.name = "single-snapshot", .type = boolean, .group = execution_group, .preset = "false",
    .help = "Make one layer of each stage instead of one of each step"},
   [](Parsed& d, const Value& v) {
     d.command.build.execution.snapshots =
         v.boolean() ? SnapshotScope::whole_stage : SnapshotScope::each_step;
   }},
  {{.name = "jobs", .type = integer, .group = execution_group,
    .preset = "the CPUs that the container may use",
    .help = "How many stages are built, and layers read or written, at the same time"},
   set_jobs},
  {{.name = "trace-file", .group = execution_group,
    .help = "Write what ran when to this file, for Chrome's trace viewer"},
   [](Parsed& d, const Value& v) { d.command.trace_file = v.text(); }},
  {{.name = "dryrun", .type = boolean, .group = execution_group, .preset = "false",
    .help = "Print what would be done and build nothing"},
   [](Parsed& d, const Value& v) { d.command.dry_run = v.boolean() ? DryRun::yes : DryRun::no; }},
  {{.name = "preserve-context", .type = boolean, .group = execution_group, .preset = "false",
    .help = "Leave the container's own filesystem as it is: never run commands in place"},
   [](Parsed& d, const Value& v) { d.preserve_context = v.boolean(); }},
  {{.name = "cleanup", .type = boolean, .group = execution_group, .preset = "false",
    .help = "Remove what a build in place has left in the container's own filesystem"},
   [](Parsed& d, const Value& v) {
     d.command.build.execution.leftovers =
         v.boolean() ? Leftovers::are_removed : Leftovers::stay;
   }},
  {{.name = "pre-cleanup", .type = boolean, .support = no_effect, .group = execution_group,
    .preset = "false", .help = "Build as if the container's filesystem were empty"},
   accept},
  {{.name = "materialize", .type = boolean, .support = later, .group = execution_group,
    .preset = "false", .help = "Leave the built filesystem in the container's own"},
   refuse_true},
  {{.name = "snapshot-mode", .support = no_effect, .group = execution_group, .preset = "full",
    .help = "full, redo or time"},
   check_snapshot_mode},
  {{.name = "use-new-run", .type = boolean, .support = no_effect, .group = execution_group,
    .preset = "false", .help = "Find changes without reading every file"},
   accept},
  {{.name = "ignore-var-run", .type = boolean, .support = no_effect, .group = execution_group,
    .preset = "true", .help = "Leave /var/run out of layers"},
   accept},
  {{.name = "skip-unused-stages", .type = boolean, .support = no_effect, .group = execution_group,
    .preset = "true", .help = "Build the stages alone that the target needs"},
   accept},
  {{.name = "force-build-metadata", .type = boolean, .support = no_effect,
    .group = execution_group, .preset = "false", .help = "Record instructions that change no file"},
   accept},
  {{.name = "image-fs-extract-retry", .type = integer, .support = no_effect,
    .group = execution_group, .preset = "0", .help = "Further tries to unpack a base image"},
   [](Parsed&, const Value& v) { v.count(); }},

  {{.name = "cache", .type = boolean, .group = cache_group, .preset = "false",
    .help = "Take steps from the cache and add them to it"},
   [](Parsed& d, const Value& v) { d.command.build.cache.enabled = v.boolean(); }},
  {{.name = "cache-repo", .group = cache_group,
    .preset = "the first destination's repository, with /cache",
    .help = "The repository that holds the cache, or oci:PATH"},
   set_cache_repository},
  {{.name = "cache-dir", .group = cache_group, .preset = "/cache",
    .help = "The directory for what is kept from build to build: steps, base images, cache mounts, downloads"},
   set_cache_directory},
  {{.name = "cache-max-size", .group = cache_group, .preset = "0",
    .help = "How large --cache-dir may be, as 20G: what was not used for the longest time is removed; 0 for no limit"},
   [](Parsed& d, const Value& v) { d.command.build.execution.cache_max_size = v.bytes(); }},
  {{.name = "import-cache-mounts", .type = list, .group = cache_group,
    .help = "Begin cache mounts that are not in --cache-dir with those exported to REF or oci:PATH"},
   [](Parsed& d, const Value& v) {
     d.command.build.cache_mounts.import_from.push_back(CacheLocation::parse(v.text()));
   }},
  {{.name = "export-cache-mounts", .type = list, .group = cache_group,
    .help = "Keep the cache mounts that the build used as an image at REF or oci:PATH"},
   [](Parsed& d, const Value& v) {
     d.command.build.cache_mounts.export_to.push_back(CacheLocation::parse(v.text()));
   }},
  {{.name = "cache-ttl", .type = duration, .group = cache_group, .preset = "336h",
    .help = "How long what is in the cache counts"},
   [](Parsed& d, const Value& v) { d.command.build.cache.time_to_live = v.duration(); }},
  {{.name = "cache-copy-layers", .type = boolean, .group = cache_group, .preset = "true",
    .help = "Cache what COPY, ADD and WORKDIR make"},
   [](Parsed& d, const Value& v) { d.command.build.cache.copy_layers = v.boolean(); }},
  {{.name = "cache-run-layers", .type = boolean, .group = cache_group, .preset = "true",
    .help = "Cache what RUN makes"},
   [](Parsed& d, const Value& v) { d.command.build.cache.run_layers = v.boolean(); }},
  {{.name = "no-push-cache", .type = boolean, .group = cache_group, .preset = "false",
    .help = "Read the repository of the cache without adding to it"},
   [](Parsed& d, const Value& v) { d.command.build.cache.push = !v.boolean(); }},
  {{.name = "cache-verify-index", .type = boolean, .group = cache_group, .preset = "false",
    .help = "Read layers even if a cache has an index of what they hold, and compare the two"},
   [](Parsed& d, const Value& v) { d.command.build.cache.verify_indexes = v.boolean(); }},
  {{.name = "compressed-caching", .type = boolean, .support = no_effect, .group = cache_group,
    .preset = "true", .help = "Keep compressed layers in memory"},
   accept},
};

constexpr Row old_names[] = {
  {{.name = "snapshotMode", .group = old_group, .visibility = Visibility::hidden,
    .alias_of = "snapshot-mode"}, nullptr},
  {{.name = "customPlatform", .group = old_group, .visibility = Visibility::hidden,
    .alias_of = "custom-platform"}, nullptr},
  {{.name = "tarPath", .group = old_group, .visibility = Visibility::hidden,
    .alias_of = "tar-path"}, nullptr},
  {{.name = "whitelist-var-run", .group = old_group, .visibility = Visibility::hidden,
    .alias_of = "ignore-var-run"}, nullptr},
};
// clang-format on

template<std::size_t Count>
Flags<ParsedExecutorFlags> flags_of(const Row (&rows)[Count]) {
  Flags<ParsedExecutorFlags> flags;
  for (const auto& row : rows)
    flags.push_back({row.spec, row.apply});
  return flags;
}

std::vector<ImageRef>& destinations(ParsedExecutorFlags& given) {
  return given.command.build.output.destinations;
}

ReportOptions& reports(ParsedExecutorFlags& given) {
  return given.command.build.output.reports;
}

Annotations& annotations(ParsedExecutorFlags& given) {
  return given.command.build.output.annotations;
}

RegistryUse& registry(ParsedExecutorFlags& given) {
  return given.command.registry;
}

LogOptions& log_options(ParsedExecutorFlags& given) {
  return given.command.log;
}

bool& help(ParsedExecutorFlags& given) {
  return given.help;
}

} // namespace

Flags<ParsedExecutorFlags> executor_flags() {
  return together<ParsedExecutorFlags>(
      {flags_of(own_flags), lift(destination_flags(), destinations), lift(report_flags(), reports),
       lift(annotation_flags(), annotations),
       lift(registry_flags(RegistryAccess::pull_and_push), registry),
       lift(logging_flags(), log_options), extra_args_flag<ParsedExecutorFlags>(), help_flag(help),
       flags_of(old_names)});
}

} // namespace cairn
