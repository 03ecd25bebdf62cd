#include "builder/plan/step_planner.hpp"

#include "builder/plan/copy_operand.hpp"
#include "builder/plan/known_arguments.hpp"
#include "builder/plan/mount_planner.hpp"
#include "dockerfile/dockerfile.hpp"
#include "fs/copy/chmod.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

namespace cairn {

namespace {

namespace in = instruction;

std::string one_line(std::string_view text) {
  const auto end = text.find('\n');
  return end == std::string_view::npos ? std::string(text)
                                       : std::string(text.substr(0, end)) + " …";
}

std::uint64_t size_of(const CopyAction& copy) {
  std::uint64_t size = copy.destination.size() + copy.working_directory.size();
  for (const auto& source : copy.sources)
    if (const auto* local = std::get_if<LocalSource>(&source))
      size += local->pattern.size();
  for (const auto& file : copy.files)
    size += file.content.size();
  return size;
}

/// What a step keeps of what was expanded for it, about.
std::uint64_t size_of(const Step& step) {
  if (const auto* run = std::get_if<RunAction>(&step.action))
    return run->environment.bytes() + run->working_directory.size();
  if (const auto* copy = std::get_if<CopyAction>(&step.action))
    return size_of(*copy);
  return 0;
}

} // namespace

StepPlanner::StepPlanner(const StageGraph& graph, std::size_t number, StagePosition position,
                         PlanLimits& limits)
    : graph_(graph), number_(number), position_(std::move(position)), limits_(limits),
      checks_(graph.checks(), graph.escape()) {}

void StepPlanner::plan_triggers(StageConfig& state, const StageNode& node,
                                std::vector<Step>& steps) {
  const auto triggers = std::exchange(state.image.config.on_build, {});
  for (const auto& trigger : triggers)
    within_place(node.place, [&] {
      const auto origin = fmt::format("ONBUILD of {}", node.stage->from.image);
      const auto instruction = parse_trigger(trigger, origin);
      const auto source = std::make_shared<SourceFile>(origin, trigger);
      steps.push_back(
          plan(state, instruction, {source, common(instruction).range}, node.place.range));
    });
}

void StepPlanner::plan_instructions(StageConfig& state, const StageNode& node,
                                    std::vector<Step>& steps) {
  for (const auto& instruction : node.stage->instructions)
    steps.push_back(plan(state, instruction, {graph_.source(), common(instruction).range},
                         common(instruction).range));
}

Step StepPlanner::plan(StageConfig& state, const Instruction& instruction, const Place& place,
                       SourceRange warned) {
  return within_place(place, [&] {
    Step step;
    check_cancelled(state.cancel);
    checks_.before(state, instruction, warned);
    if (const auto* copy = std::get_if<in::Copy>(&instruction))
      step = plan_copy(state, *copy);
    else if (const auto* add = std::get_if<in::Add>(&instruction))
      step = plan_add(state, *add);
    else if (const auto* workdir = std::get_if<in::Workdir>(&instruction))
      step = plan_workdir(state, *workdir);
    else if (const auto* run = std::get_if<in::Run>(&instruction))
      step = plan_run(state, *run);
    else
      step.created_by = apply_config(state, instruction, graph_.arguments(), graph_.escape());
    checks_.after(state, instruction, step);
    step.place = place;
    step.text = one_line(common(instruction).text);
    check_variables(state.variables);
    limits_.add(step.created_by.size(), size_of(step));
    return step;
  });
}

FileOrigin StepPlanner::origin(const std::string& name) {
  const auto found = graph_.origin(name, number_);
  if (const auto* stage = std::get_if<EarlierStage>(&found))
    return StageSource{position_(stage->number)};
  if (const auto* image = std::get_if<ImageSource>(&found))
    return *image;
  if (const auto* directory = std::get_if<DirectorySource>(&found))
    return *directory;
  if (const auto* url = std::get_if<UrlSource>(&found))
    return *url;
  if (const auto* git = std::get_if<GitSource>(&found))
    return *git;
  return EmptyFilesystem{};
}

std::vector<std::string> StepPlanner::expand(const StageConfig& state,
                                             const std::vector<std::string>& words) const {
  std::vector<std::string> expanded;
  expanded.reserve(words.size());
  for (const auto& word : words)
    expanded.push_back(expand_word(word, state.lookup(), graph_.escape()));
  return expanded;
}

CopyAction StepPlanner::transfer(const StageConfig& state, const in::Transfer& transfer,
                                 CopyAction::Kind kind) const {
  const auto word = [&](const std::string& text) {
    return expand_word(text, state.lookup(), graph_.escape());
  };
  // In BuildKit's order, which is that of its warnings.
  CopyAction action;
  action.kind = kind;
  const auto unless_empty = [&](const std::optional<std::string>& text) {
    auto value = text ? word(*text) : std::string();
    return value.empty() ? std::nullopt : std::optional(std::move(value));
  };
  action.chown = unless_empty(transfer.chown);
  action.chmod = unless_empty(transfer.chmod);
  if (action.chmod)
    (void)ModeChange::parse(*action.chmod); // now, while the line is at hand
  action.excludes = transfer.excludes;      // literal, as in BuildKit
  for (const auto& source : expand(state, transfer.sources))
    action.sources.push_back(copy_operand(source, kind));
  action.destination = word(transfer.destination);
  for (auto file : transfer.files) {
    if (file.expand)
      file.content = expand_heredoc(file.content, state.lookup());
    action.files.push_back(std::move(file));
  }
  action.working_directory = state.working_directory();
  action.link = transfer.link;
  return action;
}

Step StepPlanner::plan_copy(const StageConfig& state, const in::Copy& copy) {
  CopyAction action = transfer(state, copy, CopyAction::Kind::copy);
  action.parents = copy.parents;
  if (copy.from)
    action.from = origin(*copy.from);
  Step step;
  step.created_by = copy_history(action, expand(state, copy.sources));
  step.action = std::move(action);
  return step;
}

Step StepPlanner::plan_add(const StageConfig& state, const in::Add& add) {
  CopyAction action = transfer(state, add, CopyAction::Kind::add);
  action.unpack = add.unpack;
  if (add.checksum)
    set_checksum(action, expand_word(*add.checksum, state.lookup(), graph_.escape()));
  if (add.keep_git_dir)
    set_keep_git_dir(action, *add.keep_git_dir);
  Step step;
  step.created_by = copy_history(action, expand(state, add.sources));
  step.action = std::move(action);
  return step;
}

Step StepPlanner::plan_workdir(StageConfig& state, const in::Workdir& workdir) {
  const auto path = expand_word(workdir.path, state.lookup(), graph_.escape());
  auto& config = state.image.config;
  config.working_dir = path.starts_with('/') ? path : join_path(state.working_directory(), path);
  Step step;
  step.created_by = "WORKDIR " + config.working_dir;
  // As in BuildKit "/." makes a layer, if an empty one, and "/" does not.
  if (config.working_dir != "/")
    step.action = DirectoryAction{state.working_directory(), config.user};
  return step;
}

Step StepPlanner::plan_run(const StageConfig& state, const in::Run& run) {
  if (!run.devices.empty())
    throw Error("RUN --device is not supported");
  if (run.security == in::RunSecurity::insecure)
    throw with_hint(Error("RUN --security=insecure is not allowed"),
                    "a build has no more privilege than its pod");
  RunAction action;
  action.argv = command_line(state, run.command);
  if (action.argv.empty())
    throw Error("RUN: there is no command");
  action.environment = state.variables;
  action.proxies = proxy_variables(graph_.build_args());
  action.working_directory = state.working_directory();
  action.user = state.image.config.user;
  action.script = run.script;
  action.network = run.network;
  const auto& given = graph_.build_args();
  const auto name_space = given.find("BUILDKIT_CACHE_MOUNT_NS");
  action.mounts = plan_mounts(state, run,
                              {graph_.escape(), name_space != given.end() ? name_space->second : "",
                               [this](const std::string& name) { return origin(name); }},
                              action.environment);
  Step step;
  step.created_by = "RUN " + run_history(state, action.argv) + " # buildkit";
  step.action = std::move(action);
  return step;
}

} // namespace cairn
