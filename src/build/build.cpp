#include "build/build.hpp"

#include "build/base_images.hpp"
#include "build/build_input.hpp"
#include "build/cache_mount_transfer.hpp"
#include "build/cache_setup.hpp"
#include "build/check.hpp"
#include "build/downloads.hpp"
#include "build/exclusions.hpp"
#include "build/execute.hpp"
#include "build/outputs.hpp"
#include "build/planner.hpp"
#include "build/remote_source.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cstdlib>

namespace cairn {

namespace {

constexpr std::uint64_t max_mountinfo = std::uint64_t{16} << 20;

/// Where a build may put its files, best first.
std::vector<std::string> workspace_candidates(const BuildOptions& options) {
  return {options.execution.work_directory + "/work", "/tmp", "/dev/shm"};
}

/// @throws Error also when a build check fails and is to end the build
Plan plan_of(BuildInput& input, const BuildOptions& options, Fetching& fetching,
             ImageLibrary& images, Progress& progress) {
  IgnoredSources ignored(input.context.ignore);
  auto plan = make_plan(input.dockerfile,
                        {.language = options.language,
                         .named_contexts = options.context.named,
                         .context_time = input.time,
                         .remote_time = remote_time(fetching.downloader, fetching.repositories),
                         .checks = {&input.linter, &ignored}},
                        images, progress);
  input.linter.enforce(input.dockerfile.source);
  return plan;
}

Ladder choose_rung(bool runs_commands, const BuildOptions& options, const BuildServices& services,
                   const std::string& work) {
  if (!runs_commands)
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
  std::vector<std::string> paths = {"/kaniko",
                                    options.execution.work_directory,
                                    cache_directory(options.execution).value_or(""),
                                    workspace,
                                    own_executable(),
                                    context,
                                    options.output.tar_path,
                                    options.output.oci_layout_path,
                                    options.output.reports.builder_output};
  for (const auto file : report_files)
    paths.push_back(options.output.reports.*file);
  return paths;
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
  const auto kept = writable_cache_directory(options.execution);
  return kept.value_or(workspace.path()) + "/mounts";
}

/// Whether anything will read base blobs again once they have been indexed.
bool must_keep_base_blobs(const Plan& plan, const Schedule& schedule, const BuildOptions& options,
                          Rung rung) {
  if (!options.output.tar_path.empty() || !options.output.oci_layout_path.empty() ||
      options.execution.snapshots == SnapshotScope::whole_stage)
    return true;
  const bool unpacks_again = rung == Rung::inplace || rung == Rung::namespace_directory;
  return plan.stages.size() > 1 && unpacks_again && schedule.runs_commands(plan);
}

/// Where layers of base images stay: with --cache from build to build, otherwise if this build may
/// read them again.
LayerKeep keeping(const CacheDirectory* cache, const Workspace& workspace, bool reads_again) {
  if (cache != nullptr && cache->is_writable())
    return {&cache->blobs(), cache};
  return {reads_again ? &workspace.store() : nullptr, cache};
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

void send(const BuiltImage& image, const OutputOptions& output, const BuildServices& services) {
  if (services.cancel)
    throw Error("the build was told to stop");
  write_outputs(
      image, output,
      {services.registry, services.http, services.retry, services.progress, services.cancel});
}

/// What `RUN --mount=type=cache` sees, where it comes from and where it goes. Mirrors are for base
/// images: one that lags behind would bring old caches back.
class MountCaches {
public:
  MountCaches(const BuildOptions& options, const BuildServices& services,
              const Workspace& workspace)
      : options_(options.cache_mounts), services_(services),
        images_({services.registry, {}, services.progress}),
        imported_(options_.import_from, images_, services.progress),
        mounts_(cache_mount_directory(options, workspace),
                [this](const std::string& key, const std::string& path) {
                  return imported_.fill(key, path);
                }) {}
  MountCaches(const MountCaches&) = delete;
  MountCaches& operator=(const MountCaches&) = delete;

  const CacheMounts& mounts() const noexcept { return mounts_; }

  void keep(LayerFactory& layers) const {
    export_caches({.destinations = options_.export_to,
                   .used = mounts_.used(),
                   .imported = imported_,
                   .layers = layers,
                   .registry = services_.registry,
                   .progress = services_.progress,
                   .now = services_.clock()});
  }

private:
  const CacheMountOptions& options_;
  const BuildServices& services_;
  ImageLibrary images_;
  ImportedCaches imported_;
  CacheMounts mounts_;
};

} // namespace

CheckReport check_build(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  auto [context, file, time] = find_input(options, fetching);
  ImageLibrary images({services.registry, services.mirrors, services.progress});
  return check_dockerfile(
      {.name = std::move(file.name),
       .text = std::move(file.text),
       .ignore = std::move(file.ignore),
       .options = {.language = options.language,
                   .named_contexts = options.context.named,
                   .context_time = time,
                   .remote_time = remote_time(fetching.downloader, fetching.repositories)}},
      images, services.progress);
}

std::string dry_run(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  auto input = read_input(options, fetching, services.progress);
  ImageLibrary images({services.registry, services.mirrors, services.progress});
  return print_plan(plan_of(input, options, fetching, images, services.progress));
}

BuildReport build_image(const BuildOptions& given, const BuildServices& services) {
  auto options = given;
  auto& progress = services.progress;
  Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  read_kept_downloads(options.execution, fetching.downloader);
  auto input = read_input(options, fetching, progress);

  // From here on the build is known; nothing has been pulled but manifests and configs.
  const auto kept = open_cache_directory(options, progress);
  const CacheLimit limit(options.execution, kept.get(), services.clock, progress);
  const auto memory = open_image_memory(kept.get(), options.cache, services.clock);
  ImageLibrary images({services.registry, services.mirrors, progress, memory.get()});
  const auto plan = plan_of(input, options, fetching, images, progress);
  Downloads downloads(plan, fetching.downloader, workspace.temporary());
  options.times.epoch = plan.epoch;

  LayerFactory layers(workspace.store(), options.output.compression, time_rule(options.times),
                      services.cancel);
  StepCaches steps(entry_rule(options, services.clock()), progress);
  add_caches(steps, options, kept.get(), services.registry);
  const auto schedule = make_schedule(
      plan, options, steps,
      {input.context, images, downloads, fetching.repositories, workspace, services.clock});
  const auto ladder =
      choose_rung(schedule.runs_commands(plan), options, services, workspace.path());
  const auto runner = make_runner(ladder, {.work_directory = workspace.temporary()});
  const RunnerGuard guard(*runner, services.on_runner);

  const MountCaches caches(options, services, workspace);
  const auto reads_again = must_keep_base_blobs(plan, schedule, options, ladder.rung);
  auto result = execute(plan, {.options = options,
                               .schedule = schedule,
                               .steps = steps,
                               .context = input.context,
                               .images = images,
                               .downloads = downloads,
                               .repositories = fetching.repositories,
                               .workspace = workspace,
                               .runner = *runner,
                               .layers = layers,
                               .progress = progress,
                               .clock = services.clock,
                               .cancel = services.cancel,
                               .rung = ladder.rung,
                               .why_not_better = reasons(ladder),
                               .ignored = ignored_paths(ladder.rung, options, workspace.path(),
                                                        input.context.local.path),
                               .caches = caches.mounts(),
                               .agents = fetching.agents,
                               .keep = keeping(kept.get(), workspace, reads_again)});

  // From here on every file of the image exists; layers may still be on their way to the store.
  auto image = assemble_image(std::move(result.config), result.stack.layers(), options,
                              result.format, services.clock());
  steps.finish();
  image.put_into = steps.holders();
  if (!options.output.reports.base_images_file.empty())
    image.base_images = base_images(plan, images);
  send(image, options.output, services);
  caches.keep(layers);
  return {image.manifest.digest(), image.manifest.layers, ladder.rung};
}

} // namespace cairn
