#include "build/build.hpp"

#include "build/cache_mount_transfer.hpp"
#include "build/exclusions.hpp"
#include "build/execute.hpp"
#include "build/git_library.hpp"
#include "build/named_context.hpp"
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
};

/// Where a build may put its files, best first.
std::vector<std::string> workspace_candidates(const BuildOptions& options) {
  return {options.execution.work_directory + "/work", "/tmp", "/dev/shm"};
}

/// Where things are kept from build to build, if anywhere.
std::optional<std::string> cache_directory(const ExecutionOptions& options) {
  const std::string usual = "/cache";
  if (!options.cache_directory && ::access(usual.c_str(), W_OK) == 0)
    return usual;
  return options.cache_directory;
}

/// Where fetched repositories are kept; empty where nothing can be written.
std::string repository_cache(const ExecutionOptions& options) {
  const auto kept = cache_directory(options);
  return kept && ::access(kept->c_str(), W_OK) == 0 ? *kept + "/git" : "";
}

/// What repositories are fetched with.
GitServices git_services(const BuildOptions& options, const BuildServices& services,
                         const std::map<std::string, AgentSocket>& agents,
                         const Workspace& workspace) {
  const auto agent = agents.find("default");
  return {.http = services.http,
          .progress = services.progress,
          .cancel = services.cancel,
          .credentials = GitCredentials(options.commands.secrets),
          .tls = nullptr,
          .ssh = {.agent = agent != agents.end() ? agent->second.path() : "",
                  .known_hosts = options.commands.known_hosts,
                  .unknown_hosts = options.commands.unknown_hosts},
          .temporary = workspace.temporary(),
          .cache = repository_cache(options.execution),
          .clock = services.clock,
          .retry = services.retry};
}

LocalContext open_context(const BuildOptions& options, const GitServices& services) {
  const auto& from = options.context;
  if (const auto reference = parse_git_context(from.context, from.git)) {
    auto wanted = *reference;
    set_keep_git_dir(wanted,
                     {options.language.build_args.begin(), options.language.build_args.end()});
    return within([&] { return open_git_context(wanted, from.git, from.sub_path, services); },
                  "build context");
  }
  return open_local_context(
      {.context = from.context, .sub_path = from.sub_path, .temporary = services.temporary});
}

Input read_input(const BuildOptions& options, const GitServices& services) {
  auto local = open_context(options, services);
  auto file = find_dockerfile(local, options.context.dockerfile, current_directory());
  auto dockerfile = parse_dockerfile(std::move(file.text), file.name);
  return {{std::move(local), std::move(file.ignore_name), std::move(file.ignore)},
          std::move(dockerfile)};
}

void report_warnings(const Dockerfile& dockerfile, Progress& progress) {
  for (const auto& warning : dockerfile.warnings)
    progress.warn("{}:{}: {}", dockerfile.source.name, warning.range.first, warning.message);
}

Plan plan_of(const Input& input, const BuildOptions& options, ImageLibrary& images,
             Progress& progress) {
  return make_plan(input.dockerfile, {options.language, options.context.named}, images, progress);
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

std::string dry_run(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  const auto agents = open_agents(options.commands);
  const auto input = read_input(options, git_services(options, services, agents, workspace));
  ImageLibrary images(services.registry, services.progress);
  return print_plan(plan_of(input, options, images, services.progress));
}

BuildReport build_image(const BuildOptions& options, const BuildServices& services) {
  auto& progress = services.progress;
  Workspace workspace(workspace_candidates(options));
  const auto agents = open_agents(options.commands);
  const auto fetching = git_services(options, services, agents, workspace);
  const auto input = read_input(options, fetching);
  report_warnings(input.dockerfile, progress);

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
  GitLibrary repositories(fetching);
  LayerFactory layers(workspace.store(), options.output.compression, time_rule(options.times),
                      services.cancel);
  auto result = execute(
      plan,
      {.options = options,
       .context = input.context,
       .images = images,
       .repositories = repositories,
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
