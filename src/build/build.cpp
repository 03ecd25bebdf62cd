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
#include <optional>

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

Ladder choose_rung(const BuildOptions& options, const BuildServices& services,
                   const std::string& work) {
  auto ladder =
      probe({options.execution.isolation, work, options.execution.force, services.environment});
  services.progress.info("Isolation: {}", rung_name(ladder.rung));
  for (const auto& line : ladder.explanation())
    services.progress.debug("Not {}", line);
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

/// A build whose Dockerfile is understood: nothing has been pulled but manifests and configs.
class Build {
public:
  Build(const BuildOptions& given, const BuildServices& services)
      : services_(services), workspace_(workspace_candidates(given)),
        fetching_(make_fetching(given)), input_(read_input(given, *fetching_, services.progress)),
        kept_(open_cache_directory(given, services.progress)),
        limit_(given.execution, kept_.get(), services.clock, services.progress),
        memory_(open_image_memory(kept_.get(), given.cache, services.clock)),
        images_({services.registry, services.mirrors, services.progress, memory_.get()}),
        plan_(plan_of(input_, given, *fetching_, images_, services.progress)),
        options_(with_epoch(given, plan_)), layers_(workspace_.store(), options_.output.compression,
                                                    time_rule(options_.times), services.cancel),
        steps_(entry_rule(options_, services.clock()), services.progress) {
    add_caches(steps_, options_, kept_.get(), services.registry);
  }

  /// Begins again when the cache has lost a layer that it said it had.
  BuildReport run() {
    for (;;) {
      const auto lost = steps_.lost();
      try {
        return attempt();
      } catch (const Error& error) {
        if (steps_.lost() == lost || services_.cancel)
          throw;
        services_.progress.warn("{}; the build begins again without it", error.what());
        fetching_ = make_fetching(options_);
      }
    }
  }

private:
  static BuildOptions with_epoch(BuildOptions options, const Plan& plan) {
    options.times.epoch = plan.epoch;
    return options;
  }

  /// Found out once, when there is a command to be run.
  Ladder ladder_for(const Schedule& schedule) {
    if (!schedule.runs_commands(plan_))
      return {};
    if (!ladder_)
      ladder_ = choose_rung(options_, services_, workspace_.path());
    return *ladder_;
  }

  std::unique_ptr<Fetching> make_fetching(const BuildOptions& options) const {
    auto fetching = std::make_unique<Fetching>(options, services_, workspace_);
    read_kept_downloads(options.execution, fetching->downloader);
    return fetching;
  }

  BuildReport attempt() {
    Downloads downloads(plan_, fetching_->downloader, workspace_.temporary());
    const auto schedule = make_schedule(
        plan_, options_, steps_,
        {input_.context, images_, downloads, fetching_->repositories, workspace_, services_.clock});
    const auto ladder = ladder_for(schedule);
    const auto runner = make_runner(ladder, {.work_directory = workspace_.temporary()});
    const RunnerGuard guard(*runner, services_.on_runner);
    const MountCaches caches(options_, services_, workspace_);
    const auto reads_again = must_keep_base_blobs(plan_, schedule, options_, ladder.rung);
    auto result = execute(plan_, {.options = options_,
                                  .schedule = schedule,
                                  .steps = steps_,
                                  .context = input_.context,
                                  .images = images_,
                                  .downloads = downloads,
                                  .repositories = fetching_->repositories,
                                  .workspace = workspace_,
                                  .runner = *runner,
                                  .layers = layers_,
                                  .progress = services_.progress,
                                  .clock = services_.clock,
                                  .cancel = services_.cancel,
                                  .rung = ladder.rung,
                                  .why_not_better = reasons(ladder),
                                  .way_out = ladder.way_out(),
                                  .ignored = ignored_paths(ladder.rung, options_, workspace_.path(),
                                                           input_.context.local.path),
                                  .caches = caches.mounts(),
                                  .agents = fetching_->agents,
                                  .keep = keeping(kept_.get(), workspace_, reads_again)});
    const auto image = finish(std::move(result));
    send(image, options_.output, services_);
    caches.keep(layers_);
    return {image.manifest.digest(), image.manifest.layers, ladder.rung};
  }

  /// Every file of the image exists by now; layers may still be on their way to the store.
  BuiltImage finish(ExecuteResult result) {
    auto image = assemble_image(std::move(result.config), result.stack.layers(), options_,
                                result.format, services_.clock());
    steps_.finish();
    image.put_into = steps_.holders();
    if (!options_.output.reports.base_images_file.empty())
      image.base_images = base_images(plan_, images_);
    return image;
  }

  const BuildServices& services_;
  Workspace workspace_;
  std::unique_ptr<Fetching> fetching_; ///< Of this attempt.
  BuildInput input_;
  std::unique_ptr<CacheDirectory> kept_; ///< May be null.
  CacheLimit limit_;
  std::unique_ptr<ImageMemory> memory_; ///< May be null.
  ImageLibrary images_;
  Plan plan_;
  BuildOptions options_;
  LayerFactory layers_;
  StepCaches steps_;
  std::optional<Ladder> ladder_; ///< Once a command had to be run.
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

BuildReport build_image(const BuildOptions& options, const BuildServices& services) {
  return Build(options, services).run();
}

} // namespace cairn
