#include "build/planner.hpp"

#include "build/draft.hpp"
#include "build/named_context.hpp"
#include "build/stage_graph.hpp"
#include "build/step_planner.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>

namespace cairn {

namespace {

constexpr std::string_view default_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The step that fills a stage whose FROM names a directory; nothing for other stages.
std::optional<Step> context_files(const StageNode& node) {
  CopyAction action;
  if (const auto* directory = std::get_if<DirectorySource>(&node.base))
    action.from = *directory;
  else if (const auto* git = std::get_if<GitSource>(&node.base))
    action.from = *git;
  else
    return std::nullopt;
  action.sources = {LocalSource{"/"}};
  action.destination = "/";
  action.working_directory = "/";
  const auto text = "FROM " + node.stage->from.image;
  return Step{node.place, text, text, std::move(action)};
}

/// Plans stages on demand, each once, those it depends on first.
class Planner {
public:
  Planner(const StageGraph& graph, BaseConfigs& bases) : graph_(graph), bases_(bases) {}

  Plan plan() {
    for (const auto number : graph_.targets())
      plan_stage(number);
    plan_.target = planned_.at(graph_.targets().front());
    return std::move(plan_);
  }

private:
  /// The position in the plan. @throws Error when the stage depends on itself
  std::size_t plan_stage(std::size_t number) {
    if (const auto done = planned_.find(number); done != planned_.end())
      return done->second;
    const auto& node = graph_.node(number);
    if (!active_.insert(number).second)
      throw error_at(*node.place.source, node.place.range,
                     fmt::format("circular dependency detected on stage: {}", node.name));
    StagePlan stage;
    stage.name = node.name;
    stage.number = number;
    stage.place = node.place;
    StageDraft draft = begin(node, stage);
    StepPlanner steps(graph_, number, [this](std::size_t needed) { return plan_stage(needed); });
    steps.plan_triggers(draft, node, stage.steps);
    steps.plan_instructions(draft, node, stage.steps);
    stage.config = draft.image;
    active_.erase(number);
    plan_.stages.push_back(std::move(stage));
    drafts_.push_back(std::move(draft));
    planned_[number] = plan_.stages.size() - 1;
    return plan_.stages.size() - 1;
  }

  /// The configuration that a stage starts with.
  StageDraft begin(const StageNode& node, StagePlan& stage) {
    if (const auto* earlier = std::get_if<EarlierStage>(&node.base)) {
      const auto index = plan_stage(earlier->number);
      stage.base = StageSource{index};
      StageDraft draft = drafts_[index];
      draft.cmd_is_own = false;
      // The environment of the image goes before arguments of the stage that it comes from.
      for (const auto& entry : draft.image.config.env.entries())
        if (const auto parts = cut(entry, '='))
          draft.variables.set(parts->first, parts->second);
      return draft;
    }
    StageDraft draft;
    if (const auto* image = std::get_if<ImageSource>(&node.base)) {
      stage.base = *image;
      draft.image = within_place(node.place, [&] { return bases_.config(*image); });
      // What tools of other builders left there does not describe the new image.
      draft.image.other = Json::object();
      draft.image.other_config = Json::object();
      draft.image.created.reset();
    } else {
      stage.base = EmptyFilesystem{};
      if (auto files = context_files(node))
        stage.steps.push_back(*std::move(files));
      draft.image.platform = node.platform;
      draft.image.config.env = Environment({std::string(default_path)});
      draft.image.config.working_dir.assign(1, '/');
    }
    draft.variables = draft.image.config.env;
    return draft;
  }

  const StageGraph& graph_;
  BaseConfigs& bases_;
  Plan plan_;
  std::vector<StageDraft> drafts_; ///< Beside plan_.stages.
  std::map<std::size_t, std::size_t> planned_;
  std::set<std::size_t> active_;
};

} // namespace

Plan make_plan(const Dockerfile& dockerfile, const PlanOptions& options, BaseConfigs& bases,
               Progress& progress) {
  const StageGraph graph(dockerfile, options);
  for (const auto& name : graph.unused_build_args())
    progress.debug("--build-arg {}: no ARG declares it", name);
  bases.prefetch(graph.needed_images());
  return Planner(graph, bases).plan();
}

bool Plan::runs_commands() const {
  for (const auto& stage : stages)
    for (const auto& step : stage.steps)
      if (std::holds_alternative<RunAction>(step.action))
        return true;
  return false;
}

std::vector<std::size_t> Plan::dependencies(std::size_t index) const {
  std::set<std::size_t> needed;
  const auto& stage = stages.at(index);
  if (const auto* base = std::get_if<StageSource>(&stage.base))
    needed.insert(base->index);
  const auto need = [&](const FileOrigin& origin) {
    if (const auto* from = std::get_if<StageSource>(&origin))
      needed.insert(from->index);
  };
  for (const auto& step : stage.steps) {
    if (const auto* copy = std::get_if<CopyAction>(&step.action))
      need(copy->from);
    if (const auto* run = std::get_if<RunAction>(&step.action))
      for (const auto& mount : run->mounts) {
        if (const auto* bind = std::get_if<BindPlan>(&mount.kind))
          need(bind->from);
        else if (const auto* cache = std::get_if<CachePlan>(&mount.kind))
          need(cache->from);
      }
  }
  return {needed.begin(), needed.end()};
}

} // namespace cairn
