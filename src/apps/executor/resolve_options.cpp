#include "apps/executor/resolve_options.hpp"

#include "apps/executor/command_inputs.hpp"
#include "apps/executor/git_options.hpp"
#include "apps/executor/output_conflicts.hpp"
#include "apps/shared/common_flags.hpp"
#include "context/download/url_source.hpp"
#include "util/cpus.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <string_view>

namespace cairn {

namespace {

/// A variable that holds a boolean; nothing when it is not set or empty.
std::optional<bool> find_bool(const ProcessEnvironment& environment, std::string_view name) {
  const auto text = environment.text(name);
  if (text.empty())
    return std::nullopt;
  return within([&] { return FlagValue(text).boolean(); }, "{}", name);
}

/// As buildx does: the variable is a build argument unless --build-arg gives it.
void resolve_epoch(BuildOptions& build, const ProcessEnvironment& environment) {
  constexpr std::string_view name = "SOURCE_DATE_EPOCH";
  auto& args = build.language.build_args;
  const auto is_epoch = [&](const NameValue& arg) { return arg.first == name; };
  if (std::none_of(args.begin(), args.end(), is_epoch))
    if (const auto value = environment.text(name); !value.empty())
      args.emplace_back(name, value);
}

void resolve_work_directory(ParsedExecutorFlags& given, const ProcessEnvironment& environment) {
  const auto from_flag = given.work_directory.value_or("");
  const auto directory = from_flag.empty() ? environment.text("KANIKO_DIR") : from_flag;
  if (directory.empty())
    return;
  if (!directory.starts_with('/'))
    throw Error("{}: '{}' is not an absolute path",
                from_flag.empty() ? "KANIKO_DIR" : "--kaniko-dir", directory);
  given.command.build.execution.work_directory = directory;
}

/// A build in place replaces the container's filesystem and cannot put it back.
void resolve_isolation(ParsedExecutorFlags& given, const ProcessEnvironment& environment) {
  const bool preserve = given.preserve_context
                            ? *given.preserve_context
                            : find_bool(environment, "KANIKO_PRESERVE_CONTEXT").value_or(false);
  auto& isolation = given.command.build.execution.isolation;
  if (preserve && isolation == Isolation::inplace)
    throw Error("--preserve-context: not supported yet with --isolation=inplace");
  if (preserve && isolation == Isolation::automatic)
    isolation = Isolation::not_in_place;
}

void resolve_check(ParsedExecutorFlags& given) {
  if (!given.check && given.check_format)
    given.command.warnings.emplace_back("--check-format has no effect without --check");
  if (!given.check)
    return;
  if (given.command.dry_run == DryRun::yes)
    throw Error("--check: not together with --dryrun: one prints what it found, one the plan");
  given.command.check = given.check_format.value_or(CheckFormat::text);
}

void resolve_push(ParsedExecutorFlags& given, const ProcessEnvironment& environment) {
  const bool no_push = find_bool(environment, "KANIKO_NO_PUSH").value_or(given.no_push);
  auto& output = given.command.build.output;
  if (no_push || given.command.dry_run == DryRun::yes || given.command.check)
    output.push = PushImage::no;
  else if (output.destinations.empty())
    throw Error("you must provide --destination, or use --no-push");
}

/// For pipelines, where one parameter names a directory of their workspace or a repository.
void resolve_context_base(ParsedExecutorFlags& given) {
  auto& context = given.command.build.context;
  const bool is_path = context.context.find("://") == std::string::npos &&
                       !parse_git_context(context.context, context.git);
  if (!given.context_base.empty() && is_path)
    context.context = given.context_base + "/" + context.context;
}

void check_context(const ContextOptions& context) {
  if (context.context.empty())
    throw Error("--context: say where the build context is");
  if (parse_git_context(context.context, context.git))
    return;
  for (const std::string_view scheme : {"s3://", "gs://"})
    if (context.context.starts_with(scheme))
      throw Error("--context: {} contexts are not supported yet", scheme);
  if (is_url(context.context))
    return;
  const auto scheme_end = context.context.find("://");
  const auto scheme = context.context.substr(0, scheme_end);
  if (scheme_end != std::string::npos && scheme != "dir" && scheme != "tar")
    throw Error("--context: unknown kind of context '{}://'", scheme);
}

void check_reports(const OutputOptions& output) {
  struct Report {
    std::string_view flag;
    const std::string& path;
    bool names_image;
  };
  const auto& reports = output.reports;
  for (const auto& [flag, path, names_image] :
       {Report{"digest-file", reports.digest_file, false},
        Report{"image-name-with-digest-file", reports.image_name_with_digest_file, true},
        Report{"image-name-tag-with-digest-file", reports.image_name_tag_with_digest_file, true},
        Report{"image-url-file", reports.image_url_file, true},
        Report{"images-file", reports.images_file, true}}) {
    if (names_image && !path.empty() && output.destinations.empty())
      throw Error("--{}: there is no --destination to name", flag);
  }
}

void check_format(const OutputOptions& output) {
  const bool is_zstd = output.compression.method == Compression::zstd;
  constexpr int strongest_gzip = 9;
  if (!is_zstd && output.compression.level.value_or(1) > strongest_gzip)
    throw Error("--compression-level: {} is more than gzip's {}", *output.compression.level,
                strongest_gzip);
  if (is_zstd && output.format == ImageFormat::docker)
    throw Error("--compression: images of Docker's format have no zstd layers; "
                "use --image-format=oci");
  if (output.tar_path.empty())
    return;
  if (output.format == ImageFormat::oci)
    throw Error("--tar-path: an archive of docker save cannot hold an image of --image-format=oci; "
                "use --oci-layout-path");
  if (is_zstd)
    throw Error("--tar-path: an archive of docker save cannot hold layers of --compression=zstd");
}

} // namespace

BuildCommand resolve_options(ParsedExecutorFlags given, const ProcessEnvironment& environment) {
  given.command.build.language.build_args = resolve_build_args(given.build_args, environment);
  resolve_epoch(given.command.build, environment);
  resolve_work_directory(given, environment);
  resolve_isolation(given, environment);
  given.command.build.execution.jobs = given.jobs ? *given.jobs : usable_cpus();
  resolve_check(given);
  resolve_push(given, environment);
  resolve_commands(given, environment);
  resolve_git(given, environment);
  resolve_context_base(given);
  check_context(given.command.build.context);
  check_reports(given.command.build.output);
  check_format(given.command.build.output);
  given.command.build.output.immutable_tags = given.command.registry.immutable_tags;
  given.command.build.output.reports.builder_output = environment.text("BUILDER_OUTPUT");
  check_output_conflicts(given.command.build);
  resolve_registry(given.command.registry, environment);
  const auto& cache = given.command.build.cache;
  if (cache.repository && !cache.enabled)
    given.command.warnings.emplace_back("--cache-repo has no effect without --cache");
  return std::move(given.command);
}

} // namespace cairn
