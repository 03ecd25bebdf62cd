#include "builder/build.hpp"

#include "builder/cache/cache_mount_transfer.hpp"
#include "builder/cache/step_cache_setup.hpp"
#include "builder/execute/execute.hpp"
#include "builder/images/base_image_list.hpp"
#include "builder/images/base_volumes.hpp"
#include "builder/inputs/build_input.hpp"
#include "builder/inputs/downloads.hpp"
#include "builder/inputs/remote_time.hpp"
#include "builder/kept_layers.hpp"
#include "builder/outputs/early_uploads.hpp"
#include "builder/outputs/outputs.hpp"
#include "builder/plan/checks/check.hpp"
#include "builder/plan/planner.hpp"
#include "builder/plan/print_plan.hpp"
#include "builder/plan/remote_source.hpp"
#include "builder/roots/root_layout.hpp"
#include "builder/store/cache_setup.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

/// Where a build may put its files, best first.
std::vector<std::string> workspace_candidates(const BuildOptions& options) {
  return {options.execution.work_directory + "/work", "/tmp", "/dev/shm"};
}

/// @throws Error also when a build check fails and is to end the build
Plan plan_of(BuildInput& input, const BuildOptions& options, Fetching& fetching,
             ImageLibrary& images, const BuildServices& services) {
  IgnoredSources ignored(input.context.ignore);
  auto plan = make_plan(input.dockerfile,
                        {.language = options.language,
                         .named_contexts = options.context.named,
                         .context_time = input.time,
                         .remote_time = remote_time(fetching.downloader, fetching.repositories),
                         .checks = {&input.linter, &ignored},
                         .cancel = &services.cancel},
                        images, services.progress);
  input.linter.enforce(input.dockerfile.source);
  return plan;
}

IsolationProbe choose_isolation(const BuildOptions& options, const BuildServices& services,
                                const CommandServices& commands, const std::string& work) {
  auto probe = commands.probe(
      {options.execution.isolation, work, options.execution.force, services.environment});
  services.progress.info("Isolation: {}", isolation_mode_name(probe.mode));
  for (const auto& line : probe.explanation())
    services.progress.debug("Not {}", line);
  return probe;
}

/// Whether files of a workspace can be moved into the container's "/".
bool lies_on_root(const Workspace& workspace) {
  struct stat root {};
  struct stat own {};
  return ::stat("/", &root) == 0 && ::stat(workspace.path().c_str(), &own) == 0 &&
         root.st_dev == own.st_dev;
}

/// A command in place may do anything to this program's file. What is started in this container
/// next would be shown its secrets. @throws Error
void require_own_executable() {
  constexpr std::string_view gone = " (deleted)"; // proc(5)
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string_view own(path, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (own.ends_with(gone))
    throw with_hint(Error("'{}' has been replaced by a command of the build",
                          printable(own.substr(0, own.size() - gone.size()))),
                    "commands cannot do that in namespaces: --isolation=namespace");
}

enum class KeepMounts { no, yes };

bool uses_cache_mounts(const Plan& plan) {
  for (const auto& stage : plan.stages)
    for (const auto& step : stage.steps)
      if (const auto* run = std::get_if<RunAction>(&step.action))
        for (const auto& mount : run->mounts)
          if (std::holds_alternative<CachePlan>(mount.kind))
            return true;
  return false;
}

/// Cache mounts of a build without a place for them end with it.
std::vector<CacheMounts::Place> mount_places(const BuildOptions& options,
                                             const Workspace& workspace, KeepMounts keep) {
  using Lasts = CacheMounts::Place::Lasts;
  std::vector<CacheMounts::Place> places;
  if (const auto kept = writable_cache_directory(options.execution);
      kept && keep == KeepMounts::yes)
    places.push_back({*kept + "/mounts", Lasts::yes});
  places.push_back({workspace.path() + "/mounts", Lasts::no});
  return places;
}

/// Whether commands have hardly any room left in cache mounts that are kept.
bool are_mounts_full(const ExecutionOptions& options) {
  constexpr std::uint64_t hardly_any_bytes = std::uint64_t{1} << 20;
  constexpr std::uint64_t hardly_any_files = 16;
  const auto kept = writable_cache_directory(options);
  struct statvfs info {};
  return kept && ::statvfs((*kept + "/mounts").c_str(), &info) == 0 &&
         (info.f_bavail * info.f_frsize < hardly_any_bytes ||
          (info.f_files > 0 && info.f_favail < hardly_any_files));
}

LayerFactory::Options layer_options(const BuildOptions& options, Progress& progress) {
  auto compression = options.output.compression;
  compression.threads = options.execution.jobs;
  return {compression, time_rule(options.times), options.execution.jobs, &progress};
}

std::string reasons(const IsolationProbe& probe) {
  std::string text;
  for (const auto& line : probe.explanation())
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
    throw Cancelled("the build was told to stop");
  write_outputs(
      image, output,
      {services.publisher, services.http, services.retry, services.progress, services.cancel});
}

/// What `RUN --mount=type=cache` sees, where it comes from and where it goes. Mirrors are for base
/// images: one that lags behind would bring old caches back.
class MountCaches {
public:
  MountCaches(const BuildOptions& options, const BuildServices& services,
              const Workspace& workspace, KeepMounts keep)
      : options_(options.cache_mounts), services_(services),
        images_({.registry = services.registry,
                 .mirrors = {},
                 .progress = services.progress,
                 .limit = options.execution.unpacked}),
        imported_(options_.import_from, images_, services.progress),
        mounts_(mount_places(options, workspace, keep), services.progress,
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
  Build(const BuildOptions& given, const BuildServices& services, const CommandServices& commands)
      : services_(services), commands_(commands),
        contact_(contact_cache(given, services.registry, services.progress)),
        workspace_(workspace_candidates(given)), tables_{services.progress, workspace_.temporary()},
        fetching_(make_fetching(given)), input_(read_input(given, *fetching_, services.progress)),
        kept_(open_cache_directory(given, services.progress)),
        limit_(given.execution, kept_.get(), services.clock, services.progress),
        memory_(open_image_resolution_cache(kept_.get(), given.cache, services.clock)),
        images_({services.registry, services.mirrors, services.progress, memory_.get(),
                 given.execution.unpacked}),
        plan_(plan_of(input_, given, *fetching_, images_, services)),
        options_(with_epoch(given, plan_)), volumes_(given.execution.base_volumes),
        layers_(workspace_.store(), layer_options(options_, services.progress), services.cancel),
        steps_(entry_rule(options_, services.clock()), services.progress),
        indexes_(services.progress, options_.cache.verify_indexes
                                        ? LayerIndexCaches::Trust::layers_alone
                                        : LayerIndexCaches::Trust::indexes) {
    volumes_.check_use(plan_, services.progress);
    const CacheServices caches{kept_.get(), services.registry, contact_.get()};
    add_caches(steps_, options_, caches);
    add_caches(indexes_, options_, caches);
    if (kept_)
      steps_.vouch([this](auto moment) { return kept_->unpacked().were_intact_at(moment); });
  }

  /// Begins again when a cache has lost what it said it had. Each time less is taken from caches,
  /// in the end nothing.
  BuildReport run() {
    constexpr int trusting = 4;
    constexpr int most_attempts = 8;
    for (int number = 1;; ++number) {
      const auto before = lost();
      try {
        return attempt();
      } catch (const Error& error) {
        const bool is_caches_fault = lost() != before || (kept_ && kept_->unpacked().have_failed());
        if (!(is_caches_fault || give_up_full_mounts()) || services_.cancel ||
            number == most_attempts)
          throw;
        services_.progress.warn("{}; the build begins again without it", error.what());
        if (kept_)
          kept_->unpacked().begin_again();
        if (number == trusting)
          steps_.stop_finding();
        fetching_ = make_fetching(options_);
      }
    }
  }

private:
  /// What caches had and then had not.
  std::size_t lost() const {
    return steps_.lost() + indexes_.lost() + (kept_ ? kept_->lost_blobs() : 0);
  }

  /// A command that fails may have failed because of that.
  bool give_up_full_mounts() {
    if (keep_mounts_ == KeepMounts::no || !uses_cache_mounts(plan_) ||
        !are_mounts_full(options_.execution))
      return false;
    keep_mounts_ = KeepMounts::no;
    return true;
  }

  static BuildOptions with_epoch(BuildOptions options, const Plan& plan) {
    options.times.epoch = plan.epoch;
    return options;
  }

  /// Found out once, when there is a command to be run.
  IsolationProbe probe_for(const Schedule& schedule) {
    if (!schedule.runs_commands(plan_))
      return {};
    if (!probe_)
      probe_ = choose_isolation(options_, services_, commands_, workspace_.path());
    return *probe_;
  }

  std::unique_ptr<Fetching> make_fetching(const BuildOptions& options) const {
    auto fetching = std::make_unique<Fetching>(options, services_, workspace_);
    read_kept_downloads(options.execution, fetching->downloader);
    return fetching;
  }

  BuildReport attempt() {
    Downloads downloads(plan_, fetching_->downloader, workspace_.temporary());
    const auto schedule =
        make_schedule(plan_, options_, steps_,
                      {input_.context, images_, downloads, fetching_->repositories, workspace_,
                       services_.clock, kept_.get()});
    const auto probe = probe_for(schedule);
    const auto runner = commands_.make_runner(probe, {.work_directory = workspace_.temporary()});
    const RunnerGuard guard(*runner, services_.on_runner);
    std::optional<Workspace> beside_root;
    if (probe.mode == IsolationMode::inplace && !lies_on_root(workspace_))
      beside_root.emplace(std::vector<std::string>{options_.execution.work_directory, "/"});
    auto& mounted = beside_root ? *beside_root : workspace_;
    const MountCaches caches(options_, services_, mounted, keep_mounts_);
    // In place the container's own files are away, which helpers for credentials may need.
    std::optional<EarlyUploads> uploads;
    if (options_.output.push == PushImage::yes && !options_.output.destinations.empty() &&
        probe.mode != IsolationMode::inplace)
      uploads.emplace(services_.registry, options_.output.destinations, services_.progress);
    auto result = build_with_indexes(schedule, [&] {
      return build_stages(schedule, probe, *runner, downloads,
                          {mounted, caches.mounts(), uploads ? &*uploads : nullptr});
    });
    if (probe.mode == IsolationMode::inplace)
      require_own_executable();
    // What a command has seen of a layer that was changed meanwhile must not become an image.
    if (kept_ && !kept_->unpacked().are_intact())
      throw Error("a layer that is unpacked in {} was changed or removed", kept_->path());
    auto image = finish(std::move(result));
    if (uploads) {
      uploads->finish();
      image.was_sent = [&](const ImageRef& to, const Digest& blob) {
        return uploads->is_there(to, blob);
      };
    }
    send(image, options_.output, services_);
    caches.keep(layers_);
    return {image.manifest.digest(), image.manifest.layers, probe.mode};
  }

  /// What fails without a command may do so because of an index that is not true.
  template<class Body>
  ExecuteResult build_with_indexes(const Schedule& schedule, Body&& body) {
    try {
      return std::forward<Body>(body)();
    } catch (const Error&) {
      if (!schedule.runs_commands(plan_))
        indexes_.lose_all();
      throw;
    }
  }

  /// Where what stages make goes.
  struct StagePlaces {
    Workspace& mounts;
    const CacheMounts& caches;
    EarlyUploads* uploads; ///< Null when nothing is pushed.
  };

  ExecuteResult build_stages(const Schedule& schedule, const IsolationProbe& probe, Runner& runner,
                             Downloads& downloads, const StagePlaces& places) {
    const LayerPlaces kept{workspace_, kept_.get(), indexes_,
                           options_.cache.verify_indexes ? nullptr : &tables_};
    const auto keep = keep_layers(kept, plan_, schedule, options_, probe.mode);
    const auto* base = base_image_of(plan_, plan_.target);
    std::unique_ptr<BorrowedRoot> borrowed;
    if (probe.mode == IsolationMode::inplace)
      borrowed = commands_.borrow_root({options_.execution,
                                        {workspace_.path(), places.mounts.path()},
                                        input_.context.local.path,
                                        workspace_.temporary(),
                                        services_.progress});
    const auto ignored =
        borrowed ? borrowed->ignored() : private_root_layout(options_.execution).reserved.filter();
    return execute(
        plan_, {.options = options_,
                .schedule = schedule,
                .steps = steps_,
                .context = input_.context,
                .images = images_,
                .downloads = downloads,
                .repositories = fetching_->repositories,
                .workspace = workspace_,
                .mounted = places.mounts,
                .runner = runner,
                .make_root = commands_.make_root,
                .layers = layers_,
                .progress = services_.progress,
                .clock = services_.clock,
                .cancel = services_.cancel,
                .mode = probe.mode,
                .why_not_better = reasons(probe),
                .way_out = probe.way_out(),
                .ignored = ignored,
                .foreign_files = borrowed ? &borrowed->foreign_files() : nullptr,
                .caches = places.caches,
                .agents = fetching_->agents,
                .keep_base = keep_base_layers(keep, kept, places.uploads,
                                              base != nullptr ? images_.get(*base).get() : nullptr),
                .keep_steps = keep,
                .volumes = volumes_,
                .try_lower = commands_.try_lower,
                .jobs = options_.execution.jobs,
                .on_image_layer = [&](std::shared_ptr<const StageLayer> layer) {
                  if (places.uploads != nullptr)
                    places.uploads->add(std::move(layer));
                }});
  }

  /// Every file of the image exists by now; layers may still be on their way to the store.
  BuiltImage finish(ExecuteResult result) {
    auto image = assemble_image(std::move(result.config), result.stack.layers(), options_,
                                result.format, services_.clock());
    steps_.finish();
    indexes_.finish();
    image.put_into = steps_.holders();
    if (!options_.output.reports.base_images_file.empty())
      image.base_images = base_images(plan_, images_);
    return image;
  }

  const BuildServices& services_;
  const CommandServices& commands_;
  std::unique_ptr<CacheContact> contact_; ///< May be null.
  Workspace workspace_;
  const TableReading tables_;
  std::unique_ptr<Fetching> fetching_; ///< Of this attempt.
  BuildInput input_;
  std::unique_ptr<CacheDirectory> kept_; ///< May be null.
  CacheLimit limit_;
  std::unique_ptr<ImageResolutionCache> memory_; ///< May be null.
  ImageLibrary images_;
  Plan plan_;
  BuildOptions options_;
  const BaseVolumes volumes_;
  LayerFactory layers_;
  StepCaches steps_;
  LayerIndexCaches indexes_;
  KeepMounts keep_mounts_ = KeepMounts::yes;
  std::optional<IsolationProbe> probe_; ///< Once a command had to be run.
};

} // namespace

CheckReport check_build(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  auto [context, file, time] = find_input(options, fetching);
  ImageLibrary images({.registry = services.registry,
                       .mirrors = services.mirrors,
                       .progress = services.progress,
                       .limit = options.execution.unpacked});
  return check_dockerfile(
      {.name = std::move(file.name),
       .text = std::move(file.text),
       .ignore = std::move(file.ignore),
       .options = {.language = options.language,
                   .named_contexts = options.context.named,
                   .context_time = time,
                   .remote_time = remote_time(fetching.downloader, fetching.repositories),
                   .cancel = &services.cancel}},
      images, services.progress);
}

std::string dry_run(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  auto input = read_input(options, fetching, services.progress);
  ImageLibrary images({.registry = services.registry,
                       .mirrors = services.mirrors,
                       .progress = services.progress,
                       .limit = options.execution.unpacked});
  return print_plan(plan_of(input, options, fetching, images, services));
}

BuildReport build_image(const BuildOptions& options, const BuildServices& services,
                        const CommandServices& commands) {
  return Build(options, services, commands).run();
}

} // namespace cairn
