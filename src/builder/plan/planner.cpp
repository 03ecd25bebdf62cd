#include "builder/plan/planner.hpp"

#include "builder/plan/base_config.hpp"
#include "builder/plan/checks/from_checks.hpp"
#include "builder/plan/known_arguments.hpp"
#include "builder/plan/named_context.hpp"
#include "builder/plan/plan_limits.hpp"
#include "builder/plan/stage_config.hpp"
#include "builder/plan/stage_graph.hpp"
#include "builder/plan/step_planner.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <optional>
#include <set>

namespace cairn {

namespace {

/// An image for a platform that was asked for says so, whatever its base is for.
void set_platform(ImageConfig& image, const Platform& wanted) {
  auto& own = image.platform;
  const bool same = own.os == wanted.os && own.architecture == wanted.architecture;
  own.os = wanted.os;
  own.architecture = wanted.architecture;
  if (!wanted.variant.empty() || !same)
    own.variant = wanted.variant;
  if (!wanted.os_version.empty() || !same)
    own.os_version = wanted.os_version;
}

/// The step that fills a stage whose FROM names a directory; nothing for other stages.
std::optional<Step> context_files(const StageNode& node) {
  CopyAction action;
  if (const auto* directory = std::get_if<DirectorySource>(&node.base))
    action.from = *directory;
  else if (const auto* url = std::get_if<UrlSource>(&node.base))
    action.from = *url;
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
  Planner(const StageGraph& graph, BaseConfigs& bases, const std::atomic<bool>* cancel)
      : graph_(graph), bases_(bases), cancel_(cancel) {}

  Plan plan() {
    const auto needed = graph_.needed_stages();
    for (const auto number : needed)
      check_base(graph_.node(number));
    // In the file's order, so that warnings come in it.
    for (const auto number : needed)
      plan_stage(number);
    for (const auto number : graph_.targets())
      plan_.targets.push_back(planned_.at(number));
    plan_.target = planned_.at(graph_.targets().front());
    plan_.epoch = graph_.epoch();
    if (const auto wanted = graph_.wanted_platform())
      set_platform(plan_.stages[plan_.target].config, *wanted);
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
    StageConfig state = begin(node, stage);
    StepPlanner steps(
        graph_, number, [this](std::size_t needed) { return plan_stage(needed); }, limits_);
    if (node.content == StageNode::Content::instructions) {
      steps.plan_triggers(state, node, stage.steps);
      steps.plan_instructions(state, node, stage.steps);
    }
    stage.config = state.image;
    active_.erase(number);
    plan_.stages.push_back(std::move(stage));
    states_.push_back(std::move(state));
    planned_[number] = plan_.stages.size() - 1;
    return plan_.stages.size() - 1;
  }

  void check_base(const StageNode& node) {
    const auto* image = std::get_if<ImageSource>(&node.base);
    if (image == nullptr || graph_.checks().linter == nullptr)
      return;
    const auto config = within_place(node.place, [&] { return bases_.config(*image); });
    if (bases_.is_known(*image))
      check_base_platform(graph_.checks(), node.stage->from, *image, config);
  }

  /// The configuration that a stage starts with.
  StageConfig begin(const StageNode& node, StagePlan& stage) {
    if (const auto* earlier = std::get_if<EarlierStage>(&node.base)) {
      const auto index = plan_stage(earlier->number);
      stage.base = StageSource{index};
      StageConfig state = states_[index];
      state.cmd_is_own = false;
      // The environment of the image goes before arguments of the stage that it comes from.
      for (const auto& entry : state.image.config.env.entries())
        if (const auto parts = cut(entry, '='))
          state.variables.set(parts->first, parts->second);
      return state;
    }
    StageConfig state;
    state.cancel = cancel_;
    if (const auto* image = std::get_if<ImageSource>(&node.base)) {
      stage.base = *image;
      state.image = within_place(node.place, [&] { return inherited(bases_.config(*image)); });
      state.base_is_known = bases_.is_known(*image);
      // A context in the place of a stage is built already: it triggers nothing.
      if (node.content == StageNode::Content::context)
        state.image.config.on_build.clear();
    } else {
      stage.base = EmptyFilesystem{};
      state.image = empty_image(node.platform);
      if (auto files = context_files(node))
        stage.steps.push_back(*std::move(files));
    }
    state.variables = state.image.config.env;
    return state;
  }

  const StageGraph& graph_;
  BaseConfigs& bases_;
  const std::atomic<bool>* cancel_; ///< May be null.
  PlanLimits limits_;
  Plan plan_;
  std::vector<StageConfig> states_; ///< Beside plan_.stages.
  std::map<std::size_t, std::size_t> planned_;
  std::set<std::size_t> active_;
};

} // namespace

Plan make_plan(const Dockerfile& dockerfile, const PlanOptions& options, BaseConfigs& bases,
               Progress& progress) {
  const StageGraph graph(dockerfile, options);
  for (const auto& name : graph.unused_build_args())
    if (!is_known_argument(name))
      progress.debug("--build-arg {}: no ARG declares it", name);
  bases.prefetch(graph.needed_images());
  return Planner(graph, bases, options.cancel).plan();
}

const ImageSource* base_image_of(const Plan& plan, std::size_t stage) {
  const auto* base = &plan.stages.at(stage).base;
  while (const auto* earlier = std::get_if<StageSource>(base))
    base = &plan.stages.at(earlier->index).base;
  return std::get_if<ImageSource>(base);
}

void visit_origins(const Action& action, const std::function<void(const FileOrigin&)>& visit) {
  if (const auto* copy = std::get_if<CopyAction>(&action))
    visit(copy->from);
  const auto* run = std::get_if<RunAction>(&action);
  if (run == nullptr)
    return;
  for (const auto& mount : run->mounts) {
    if (const auto* bind = std::get_if<BindPlan>(&mount.kind))
      visit(bind->from);
    else if (const auto* cache = std::get_if<CachePlan>(&mount.kind))
      visit(cache->from);
  }
}

Environment RunAction::whole_environment() const {
  auto whole = environment;
  for (const auto& proxy : proxies.entries())
    if (const auto parts = cut(proxy, '='))
      whole.set(parts->first, parts->second);
  return whole;
}

} // namespace cairn
