#include "build/build.hpp"

#include "build/cache_mount_transfer.hpp"
#include "build/check.hpp"
#include "build/exclusions.hpp"
#include "build/execute.hpp"
#include "build/outputs.hpp"
#include "build/planner.hpp"
#include "context/local.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cstdlib>

namespace cairn {

namespace {

constexpr std::uint64_t max_mountinfo = std::uint64_t{16} << 20;

/// What make_plan() and execute() work on.
struct Input {
  BuildContext context;
  Dockerfile dockerfile;
  Linter linter; ///< Has logged what the text alone tells.
};

/// Where a build may put its files, best first.
std::vector<std::string> workspace_candidates(const BuildOptions& options) {
  return {options.execution.work_directory + "/work", "/tmp", "/dev/shm"};
}

LocalContext open_context(const BuildOptions& options, const std::string& temporary) {
  return open_local_context({.context = options.context.context,
                             .sub_path = options.context.sub_path,
                             .temporary = temporary});
}

Input read_input(const BuildOptions& options, const std::string& temporary, Progress& progress) {
  auto local = open_context(options, temporary);
  auto file = find_dockerfile(local, options.context.dockerfile, current_directory());
  Linter linter(check_override(options.language),
                [&progress, name = file.name](const LintWarning& warning) {
                  progress.warn("{}", one_line(warning, name));
                });
  auto dockerfile = parse_dockerfile(std::move(file.text), file.name, linter);
  return {{std::move(local), std::move(file.ignore_name), std::move(file.ignore)},
          std::move(dockerfile),
          std::move(linter)};
}

/// @throws Error also when a build check fails and is to end the build
Plan plan_of(Input& input, const BuildOptions& options, ImageLibrary& images, Progress& progress) {
  IgnoredSources ignored(input.context.ignore);
  auto plan = make_plan(input.dockerfile,
                        {.language = options.language,
                         .named_contexts = options.context.named,
                         .checks = {&input.linter, &ignored}},
                        images, progress);
  input.linter.enforce(input.dockerfile.source);
  return plan;
}

Ladder choose_rung(const Plan& plan, const BuildOptions& options, const BuildServices& services,
                   const std::string& work) {
  if (!plan.runs_commands())
    return {};
  auto ladder =
      probe({options.execution.isolation, work, options.execution.force, services.environment});
  std::string why;
  for (const auto& line : ladder.explanation())
    why += "; not " + line;
  services.progress.info("Isolation: {}{}", rung_name(ladder.rung), why);
  return ladder;
}

std::string own_executable() {
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

/// Where things are kept from build to build, if anywhere.
std::optional<std::string> cache_directory(const ExecutionOptions& options) {
  const std::string usual = "/cache";
  if (!options.cache_directory && ::access(usual.c_str(), W_OK) == 0)
    return usual;
  return options.cache_directory;
}

/// What must survive when the container's own "/" is the root of the build.
std::vector<std::string> own_paths(const BuildOptions& options, const std::string& workspace,
                                   const std::string& context) {
  return {"/kaniko",
          options.execution.work_directory,
          cache_directory(options.execution).value_or(""),
          workspace,
          own_executable(),
          context,
          options.output.tar_path,
          options.output.oci_layout_path,
          options.output.reports.digest_file,
          options.output.reports.image_name_with_digest_file,
          options.output.reports.image_name_tag_with_digest_file};
}

PathFilter ignored_paths(Rung rung, const BuildOptions& options, const std::string& workspace,
                         const std::string& context) {
  const auto mountinfo = read_file(current_directory(), "/proc/self/mountinfo", max_mountinfo);
  std::vector<std::string> own;
  for (const auto& path : own_paths(options, workspace, context)) {
    char real[PATH_MAX];
    own.emplace_back(!path.empty() && ::realpath(path.c_str(), real) != nullptr ? real : path);
  }
  return exclusions_for(rung, options.execution, own, mountinfo).filter();
}

/// Cache mounts of a build without a place for them end with it.
std::string cache_mount_directory(const BuildOptions& options, const Workspace& workspace) {
  const auto kept = cache_directory(options.execution);
  return kept.value_or(workspace.path()) + "/mounts";
}

/// Before a base image can cover their names.
std::map<std::string, AgentSocket> open_agents(const CommandOptions& options) {
  std::map<std::string, AgentSocket> agents;
  for (const auto& [id, path] : options.agents)
    within([&, id = id, path = path] { agents.emplace(id, AgentSocket(path)); }, "--ssh={}", id);
  return agents;
}

/// Whether anything will read base blobs again once they have been indexed.
bool must_keep_base_blobs(const Plan& plan, const BuildOptions& options, Rung rung) {
  if (!options.output.tar_path.empty() || !options.output.oci_layout_path.empty() ||
      options.execution.snapshots == SnapshotScope::whole_stage)
    return true;
  const bool unpacks_again = rung == Rung::inplace || rung == Rung::namespace_directory;
  return plan.stages.size() > 1 && unpacks_again && plan.runs_commands();
}

std::string reasons(const Ladder& ladder) {
  std::string text;
  for (const auto& line : ladder.explanation())
    text += (text.empty() ? "" : "; ") + line;
  return text;
}

/// Tells the program about the runner for as long as it lives.
class RunnerGuard {
public:
  RunnerGuard(Runner& runner, const std::function<void(Runner*)>& tell) : tell_(tell) {
    if (tell_)
      tell_(&runner);
  }
  RunnerGuard(const RunnerGuard&) = delete;
  RunnerGuard& operator=(const RunnerGuard&) = delete;
  ~RunnerGuard() {
    if (tell_)
      tell_(nullptr);
  }

private:
  const std::function<void(Runner*)>& tell_;
};

} // namespace

CheckReport check_build(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  const auto local = open_context(options, workspace.temporary());
  auto file = find_dockerfile(local, options.context.dockerfile, current_directory());
  ImageLibrary images(services.registry, services.progress);
  return check_dockerfile(
      {.name = std::move(file.name),
       .text = std::move(file.text),
       .ignore = std::move(file.ignore),
       .options = {.language = options.language, .named_contexts = options.context.named}},
      images, services.progress);
}

std::string dry_run(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  auto input = read_input(options, workspace.temporary(), services.progress);
  ImageLibrary images(services.registry, services.progress);
  return print_plan(plan_of(input, options, images, services.progress));
}

BuildReport build_image(const BuildOptions& options, const BuildServices& services) {
  auto& progress = services.progress;
  Workspace workspace(workspace_candidates(options));
  auto input = read_input(options, workspace.temporary(), progress);

  // From here on the build is known; nothing has been pulled but manifests and configs.
  ImageLibrary images(services.registry, progress);
  const auto plan = plan_of(input, options, images, progress);
  const auto ladder = choose_rung(plan, options, services, workspace.path());
  const auto runner = make_runner(ladder, {.work_directory = workspace.temporary()});
  const RunnerGuard guard(*runner, services.on_runner);

  const ImportedCaches imported(options.cache_mounts.import_from, images, progress);
  const CacheMounts caches(
      cache_mount_directory(options, workspace),
      [&](const std::string& key, const std::string& path) { return imported.fill(key, path); });
  const auto agents = open_agents(options.commands);
  LayerFactory layers(workspace.store(), options.output.compression, time_rule(options.times),
                      services.cancel);
  auto result = execute(
      plan,
      {.options = options,
       .context = input.context,
       .images = images,
       .workspace = workspace,
       .runner = *runner,
       .layers = layers,
       .progress = progress,
       .clock = services.clock,
       .cancel = services.cancel,
       .rung = ladder.rung,
       .why_not_better = reasons(ladder),
       .ignored = ignored_paths(ladder.rung, options, workspace.path(), input.context.local.path),
       .caches = caches,
       .agents = agents,
       .keep_base_blobs = must_keep_base_blobs(plan, options, ladder.rung)});

  // From here on every file of the image exists; layers may still be on their way to the store.
  const auto image = assemble_image(std::move(result.config), result.stack.layers(), options,
                                    result.format, services.clock());
  if (services.cancel)
    throw Error("the build was told to stop");
  write_outputs(image, options.output, services.registry, progress);
  export_caches({.destinations = options.cache_mounts.export_to,
                 .used = caches.used(),
                 .imported = imported,
                 .layers = layers,
                 .registry = services.registry,
                 .progress = progress,
                 .now = services.clock()});
  return {image.manifest.digest(), image.manifest.layers, ladder.rung};
}

} // namespace cairn
