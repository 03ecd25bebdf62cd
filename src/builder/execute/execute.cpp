#include "builder/execute/execute.hpp"

#include "builder/execute/run_schedule.hpp"
#include "builder/plan/stage_graph.hpp"
#include "util/error.hpp"

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>

namespace cairn {

namespace {

/// How many stages are built at once: more would only share the same cores and disk.
constexpr std::size_t parallel_stages = 2;

class Execution {
public:
  Execution(const Plan& plan, const ExecuteServices& services)
      : plan_(plan), services_(services), results_(plan.stages.size()), shared_(plan.stages.size()),
        copy_(copy_services()), files_(copy_, services.mounted) {}

  ExecuteResult run() {
    const bool serial =
        services_.mode == IsolationMode::inplace && services_.schedule.runs_commands(plan_);
    const CommandOptions usual;
    const auto& name = services_.options.commands.hostname;
    if (name != usual.hostname && shares_hostname())
      services_.progress.warn("--hostname={}: {} it is in /etc/hosts alone, commands have the "
                              "hostname of their container",
                              name, isolation_mode_name(services_.mode));
    run_schedule(services_.schedule, serial ? 1 : parallel_stages,
                 {[this](std::size_t index) { build(index); }, [this] { interrupt(); }});
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
    stop_ = true;
    services_.runner.forward_signal(SIGTERM);
    services_.downloads.stop();
    services_.repositories.stop();
  }

  StageResult build_stage(std::size_t index) {
    const auto& stage = plan_.stages[index];
    const StageServices services{services_.options,
                                 services_.steps,
                                 services_.keep,
                                 services_.mode,
                                 services_.why_not_better,
                                 services_.way_out,
                                 copy_,
                                 {services_.workspace, directories_, services_.runner,
                                  services_.ignored, services_.foreign_files},
                                 services_.make_root,
                                 {files_, services_.caches, services_.options.commands.secrets,
                                  services_.agents, services_.mounted, services_.mode,
                                  [this] { return stopped(); }},
                                 services_.layers,
                                 services_.progress,
                                 [this] { return stopped(); }};
    return StageBuilder(stage, services_.schedule.stages[index], begin(stage), services).build();
  }

  bool stopped() const { return stop_ || services_.cancel; }

  StageBegin begin(const StagePlan& stage) {
    if (const auto* earlier = std::get_if<StageSource>(&stage.base)) {
      const std::lock_guard lock(mutex_);
      const auto& result = *results_.at(earlier->index);
      return {result.stack, result.config.history};
    }
    if (const auto* image = std::get_if<ImageSource>(&stage.base))
      return {within_place(stage.place, [&] { return stack_of(*image, tables_of_bases()); }),
              stage.config.history};
    return {};
  }

  /// Roots and squashed layers count the entries of streams.
  LayerTables tables_of_bases() const {
    const bool is_squashed = services_.options.execution.snapshots == SnapshotScope::whole_stage;
    return is_squashed || services_.schedule.runs_commands(plan_) ? LayerTables::unused
                                                                  : LayerTables::read;
  }

  LayerStack stack_of(const ImageSource& source, LayerTables tables) {
    const auto image = services_.images.get(source);
    std::vector<std::shared_ptr<const StageLayer>> layers;
    for (std::size_t i = 0; i < image->manifest.layers.size(); ++i)
      layers.push_back(std::make_shared<StageLayer>(image, i, services_.keep, tables));
    const auto count = layers.size();
    return {std::move(layers), count};
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
                entry = std::make_shared<SharedStack>(stack_of(image, LayerTables::read));
              return entry;
            },
            services_.clock,
            services_.progress,
            services_.options.execution.unpacked};
  }

  ImageFormat format_of(std::size_t index) {
    const auto& base = plan_.stages[index].base;
    if (const auto* earlier = std::get_if<StageSource>(&base))
      return format_of(earlier->index);
    if (const auto* image = std::get_if<ImageSource>(&base))
      return services_.images.get(*image)->manifest.format();
    return ImageFormat::oci;
  }

  const Plan& plan_;
  const ExecuteServices& services_;
  LayerDirectories directories_;
  std::mutex mutex_;
  std::vector<std::optional<StageResult>> results_;
  std::vector<std::shared_ptr<SharedStack>> shared_;
  std::atomic<bool> stop_ = false;
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
