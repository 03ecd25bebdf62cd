#include "builder/execute/schedule.hpp"

#include "builder/execute/copy_step.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"

#include <set>

namespace cairn {

namespace {

constexpr std::size_t parallel_lookups = 16;

bool is_command(const Step& step) {
  return std::holds_alternative<RunAction>(step.action);
}

bool is_kept(const Step& step, const CacheOptions& options) {
  return is_command(step) ? options.run_layers : options.copy_layers;
}

/// No stage is needed yet, no step is cached.
Schedule empty_schedule(const Plan& plan) {
  Schedule schedule;
  for (const auto& stage : plan.stages)
    schedule.stages.push_back({false, std::vector<StepSchedule>(stage.steps.size()), {}});
  return schedule;
}

/// Sets which stages are needed, and for what.
void find_needs(const Plan& plan, Schedule& schedule) {
  for (const auto target : plan.targets)
    schedule.stages.at(target).needed = true;
  // Each stage stands after those it depends on.
  for (auto index = plan.stages.size(); index-- > 0;) {
    auto& stage = schedule.stages[index];
    if (!stage.needed)
      continue;
    std::set<std::size_t> needs;
    if (const auto* base = std::get_if<StageSource>(&plan.stages[index].base))
      needs.insert(base->index);
    for (std::size_t i = 0; i < stage.steps.size(); ++i)
      if (!stage.steps[i].cached)
        visit_origins(plan.stages[index].steps[i].action, [&](const FileOrigin& origin) {
          if (const auto* source = std::get_if<StageSource>(&origin))
            needs.insert(source->index);
        });
    for (const auto need : needs)
      schedule.stages.at(need).needed = true;
    stage.dependencies.assign(needs.begin(), needs.end());
  }
}

/// Drops what was found for steps on top of a command that is run again.
void drop_stale(const Plan& plan, const std::vector<StageKeys>& keys, Schedule& schedule) {
  std::vector<bool> changed(plan.stages.size(), false);
  for (std::size_t index = 0; index < plan.stages.size(); ++index) {
    const auto& stage = plan.stages[index];
    bool stale = false;
    if (const auto* base = std::get_if<StageSource>(&stage.base))
      stale = changed.at(base->index);
    for (std::size_t i = 0; i < stage.steps.size(); ++i) {
      auto& step = schedule.stages[index].steps[i];
      const auto& key = keys.at(index).steps.at(i);
      if (stale && key && key->depends_on == DependsOn::steps_before)
        step.cached.reset();
      stale = stale || (is_command(stage.steps[i]) && !step.cached);
    }
    changed[index] = stale;
  }
}

} // namespace

bool Schedule::runs_commands(const Plan& plan) const {
  for (std::size_t index = 0; index < stages.size(); ++index)
    for (std::size_t i = 0; stages[index].needed && i < stages[index].steps.size(); ++i)
      if (is_command(plan.stages.at(index).steps.at(i)) && !is_cached(index, i))
        return true;
  return false;
}

Schedule whole_schedule(const Plan& plan) {
  auto schedule = empty_schedule(plan);
  find_needs(plan, schedule);
  return schedule;
}

Schedule cached_schedule(const Plan& plan, const std::vector<StageKeys>& keys, StepCaches& caches,
                         const CacheOptions& options) {
  auto schedule = empty_schedule(plan);
  std::vector<StepSchedule*> lookups;
  for (std::size_t index = 0; index < plan.stages.size(); ++index)
    for (std::size_t i = 0; i < plan.stages[index].steps.size(); ++i) {
      const auto& key = keys.at(index).steps.at(i);
      if (!key || !is_kept(plan.stages[index].steps[i], options))
        continue;
      schedule.stages[index].steps[i].key = key->key;
      lookups.push_back(&schedule.stages[index].steps[i]);
    }
  parallel_for(lookups.size(), parallel_lookups,
               [&](std::size_t n) { lookups[n]->cached = caches.find(*lookups[n]->key); });
  drop_stale(plan, keys, schedule);
  find_needs(plan, schedule);
  return schedule;
}

Schedule make_schedule(const Plan& plan, const BuildOptions& options, StepCaches& caches,
                       const ContextServices& services) {
  if (caches.empty())
    return whole_schedule(plan);
  SilentProgress silent;
  const CopyServices files{services.context,
                           services.images,
                           services.downloads,
                           services.repositories,
                           services.workspace,
                           [](std::size_t) -> std::shared_ptr<SharedStack> {
                             throw Error("no stage is read for a key");
                           },
                           [](const ImageSource&) -> std::shared_ptr<SharedStack> {
                             throw Error("no image is read for a key");
                           },
                           services.clock,
                           silent,
                           options.execution.unpacked};
  auto digests = services.kept != nullptr ? services.kept->context_digests() : ContextDigests();
  const auto keys = plan_keys(plan, {options, files, services.images, digests});
  if (services.kept != nullptr)
    services.kept->keep(digests);
  digests = {};
  return cached_schedule(plan, keys, caches, options.cache);
}

} // namespace cairn
