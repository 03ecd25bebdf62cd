#include "builder/execute/execute.hpp"

#include "builder/execute/base_stacks.hpp"
#include "builder/execute/run_schedule.hpp"
#include "builder/plan/stage_graph.hpp"
#include "util/error.hpp"
#include "util/threads.hpp"

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>

namespace cairn {

namespace {

/// The stages whose layers are those of the image.
std::vector<bool> stages_of_image(const Plan& plan) {
  std::vector<bool> result(plan.stages.size(), false);
  auto index = plan.target;
  result.at(index) = true;
  while (const auto* earlier = std::get_if<StageSource>(&plan.stages.at(index).base)) {
    index = earlier->index;
    result.at(index) = true;
  }
  return result;
}

class Execution {
public:
  Execution(const Plan& plan, const ExecuteServices& services)
      : plan_(plan), services_(services), of_image_(stages_of_image(plan)),
        bases_(plan, services.schedule,
               {services.images, services.workspace, services.mode, services.keep_base,
                services.jobs, stop_, services.volumes, services.progress, services.try_lower}),
        results_(plan.stages.size()), shared_(plan.stages.size()), copy_(copy_services()),
        files_(copy_, services.mounted) {}

  ExecuteResult run() {
    const bool serial =
        services_.mode == IsolationMode::inplace && services_.schedule.runs_commands(plan_);
    const CommandOptions usual;
    const auto& name = services_.options.commands.hostname;
    if (name != usual.hostname && shares_hostname())
      services_.progress.warn("--hostname={}: {} it is in /etc/hosts alone, commands have the "
                              "hostname of their container",
                              name, isolation_mode_name(services_.mode));
    {
      const auto ahead =
          start_threads(1, [this] { bases_.load_ahead([this] { return stopped(); }); });
      run_schedule(services_.schedule, serial ? 1 : services_.jobs,
                   {[this](std::size_t index) { build(index); }, [this] { interrupt(); }});
    }
    auto& target = *results_.at(plan_.target);
    return {std::move(target.stack), std::move(target.config), format_of(plan_.target)};
  }

private:
  bool shares_hostname() const {
    return services_.mode == IsolationMode::inplace && services_.schedule.runs_commands(plan_);
  }

  void build(std::size_t index) {
    auto result = build_stage(index);
    const std::lock_guard lock(mutex_);
    shared_[index] = std::make_shared<SharedStack>(result.stack);
    results_[index] = std::move(result);
  }

  /// Commands of other stages have nothing left to be built for.
  void interrupt() {
    *stop_ = true;
    services_.runner.forward_signal(SIGTERM);
    services_.downloads.stop();
    services_.repositories.stop();
  }

  StageResult build_stage(std::size_t index) {
    const auto& stage = plan_.stages[index];
    const StageServices services{services_.options,
                                 services_.steps,
                                 services_.keep_steps,
                                 services_.mode,
                                 services_.why_not_better,
                                 services_.way_out,
                                 copy_,
                                 {services_.workspace, services_.runner, services_.ignored,
                                  services_.foreign_files, base_roots(index)},
                                 services_.make_root,
                                 {files_, services_.caches, services_.options.commands.secrets,
                                  services_.agents, services_.mounted, services_.mode,
                                  [this] { return stopped(); }},
                                 services_.layers,
                                 of_image_[index] ? StageUse::for_image : StageUse::for_stages,
                                 services_.on_image_layer,
                                 services_.progress,
                                 [this] { return stopped(); }};
    return StageBuilder(stage, services_.schedule.stages[index], begin(stage), services).build();
  }

  bool stopped() const { return *stop_ || services_.cancel; }

  StageBegin begin(const StagePlan& stage) {
    if (const auto* earlier = std::get_if<StageSource>(&stage.base)) {
      const std::lock_guard lock(mutex_);
      const auto& result = *results_.at(earlier->index);
      return {result.stack, result.config.history};
    }
    if (const auto* image = std::get_if<ImageSource>(&stage.base))
      return {within_place(stage.place, [&] { return bases_.stack(*image); }),
              stage.config.history};
    return {};
  }

  BaseRoots* base_roots(std::size_t index) {
    const auto* image = base_image_of(plan_, index);
    return image != nullptr ? bases_.roots(*image) : nullptr;
  }

  CopyServices copy_services() {
    return {services_.context,
            services_.images,
            services_.downloads,
            services_.repositories,
            services_.workspace,
            [this](std::size_t stage) {
              const std::lock_guard lock(mutex_);
              return shared_.at(stage);
            },
            [this](const ImageSource& image) {
              const std::lock_guard lock(image_mutex_);
              auto& entry = image_stacks_[image.key()];
              if (!entry)
                entry = std::make_shared<SharedStack>(bases_.stack(image));
              return entry;
            },
            services_.clock,
            services_.progress,
            services_.options.execution.unpacked};
  }

  ImageFormat format_of(std::size_t index) {
    const auto* image = base_image_of(plan_, index);
    return image != nullptr ? services_.images.get(*image)->manifest.format() : ImageFormat::oci;
  }

  const Plan& plan_;
  const ExecuteServices& services_;
  const std::vector<bool> of_image_; ///< By stage.
  /// Layers have it as well, which outlive this.
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  BaseStacks bases_;
  std::mutex mutex_;
  std::vector<std::optional<StageResult>> results_;
  std::vector<std::shared_ptr<SharedStack>> shared_;
  std::mutex image_mutex_;
  std::map<std::string, std::shared_ptr<SharedStack>> image_stacks_;
  const CopyServices copy_;
  MountedFiles files_;
};

} // namespace

ExecuteResult execute(const Plan& plan, const ExecuteServices& services) {
  return Execution(plan, services).run();
}

} // namespace cairn
