#include "builder/execute/stage_builder.hpp"

#include "builder/execute/kernel_directories.hpp"
#include "builder/execute/run_step.hpp"
#include "builder/execute/squash.hpp"
#include "builder/plan/stage_graph.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"

#include <fmt/core.h>

#include <chrono>

namespace cairn {

namespace {

constexpr std::string_view history_comment = "buildkit.dockerfile.v0";

bool is_config(const Step& step) {
  return std::holds_alternative<ConfigAction>(step.action);
}

} // namespace

StageBuilder::StageBuilder(const StagePlan& plan, const StageSchedule& schedule, StageBegin begin,
                           const StageServices& services)
    : plan_(plan), schedule_(schedule), stack_(std::move(begin.stack)), services_(services),
      inherited_(begin.history.size()), history_(std::move(begin.history)) {}

StageResult StageBuilder::build() {
  const auto base_layers = stack_.layers().size();
  for (std::size_t i = 0; i < plan_.steps.size(); ++i)
    within_place(plan_.steps[i].place, [&] { perform(i); });
  if (services_.options.execution.snapshots == SnapshotScope::whole_stage)
    squash(base_layers);
  // Commands of the stages that follow reach whatever this one has made.
  if (reach() == CommandReach::everything) {
    set_aside(in_root_);
    set_aside(elsewhere_);
  }
  if (root_ && root_->reach() == CommandReach::own_root)
    stack_.lies_in({root_->path(), services_.roots.ignored});
  StageResult result{std::move(stack_), plan_.config};
  result.config.history = std::move(history_);
  return result;
}

bool StageBuilder::runs_commands(std::size_t from) const {
  for (auto i = from; i < plan_.steps.size(); ++i)
    if (std::holds_alternative<RunAction>(plan_.steps[i].action) && !schedule_.steps[i].cached)
      return true;
  return false;
}

void StageBuilder::go_on() const {
  if (services_.stopped())
    throw Cancelled("the build was told to stop");
}

void StageBuilder::perform(std::size_t number) {
  const auto& step = plan_.steps[number];
  go_on();
  step_ = fmt::format("{}:{}: {}", step.place.source->name, step.place.range.first, step.text);
  const auto begin = std::chrono::steady_clock::now();
  services_.progress.info("{}", step.text);
  const Timed timed(services_.progress, "step", step.text);
  if (!is_config(step) && !schedule_.steps[number].cached)
    prepare_root(number);
  const auto note = within([&] { return carry_out(number); }, "{}", step.text);
  services_.progress.step_done(step.text, note, std::chrono::steady_clock::now() - begin);
  if (step.created_by.empty())
    return;
  HistoryEntry entry;
  entry.created_by = step.created_by;
  entry.comment = history_comment;
  entry.empty_layer = is_config(step);
  history_.push_back(std::move(entry));
}

std::string StageBuilder::carry_out(std::size_t number) {
  const auto& step = plan_.steps[number];
  const auto& schedule = schedule_.steps[number];
  if (schedule.cached) {
    auto layer = std::make_shared<ImageLayer>(schedule.cached, 0, services_.keep);
    if (is_of_image())
      services_.on_image_layer(layer);
    stack_.push(std::move(layer));
    // In place this is where it shows whether the root can hold it.
    if (services_.mode == IsolationMode::inplace && runs_commands(number + 1)) {
      prepare_root(number);
      root().apply_layers(stack_);
    }
    return "cached";
  }
  if (is_config(step))
    return "config";
  commands_follow_ = runs_commands(number + 1);
  is_kept_ = schedule.key && services_.caches.are_written();
  auto note = std::visit([&](const auto& action) { return act(action); }, step.action);
  if (schedule.key)
    services_.caches.add(*schedule.key, stack_.layers().back(), step.created_by);
  return note;
}

/// A base that commands need is unpacked while it is read for the Tree, not after it.
void StageBuilder::prepare_root(std::size_t number) {
  if (root_ || services_.mode == IsolationMode::none || !runs_commands(number))
    return;
  within_place(plan_.place, [&] { root().apply_layers(stack_); });
}

std::string StageBuilder::act(const ConfigAction&) {
  return "config";
}

std::string StageBuilder::act(const CopyAction& action) {
  return add_files(copy_files(action, stack_, services_.copy));
}

std::string StageBuilder::act(const DirectoryAction& action) {
  return add_files(make_directory(action, stack_, services_.copy));
}

std::string StageBuilder::act(const RunAction& action) {
  if (services_.mode == IsolationMode::none)
    throw with_hint(Error("no command can be run here: {}", services_.why_not_better),
                    services_.way_out);
  set_aside(in_root_);
  root().apply_layers(stack_);
  if (reach() == CommandReach::everything)
    set_aside(elsewhere_);
  const auto outcome = run(action);
  if (!outcome.succeeded())
    throw failure(outcome);
  auto note = add_layer(
      with_kernel_directories(root().changes(stack_), stack_.tree(), services_.copy.clock()),
      Origin::command);
  root().commit(stack_.layers().back());
  return note;
}

CommandReach StageBuilder::reach() const {
  if (root_)
    return root_->reach();
  return services_.mode == IsolationMode::inplace ? CommandReach::everything
                                                  : CommandReach::nothing;
}

void StageBuilder::set_aside(std::vector<std::shared_ptr<const MadeLayer>>& layers) {
  for (const auto& layer : layers)
    layer->set_aside();
  layers.clear();
}

bool StageBuilder::is_of_image() const {
  return services_.use == StageUse::for_image &&
         services_.options.execution.snapshots == SnapshotScope::each_step;
}

CommandFailed StageBuilder::failure(const Outcome& outcome) const {
  const auto how = outcome.not_started ? *outcome.not_started
                   : outcome.signal
                       ? fmt::format("the command was ended by signal {}", *outcome.signal)
                       : fmt::format("the command ended with exit status {}", outcome.exit_status);
  CommandFailed failed(how, outcome.exit_status);
  if (!outcome.hint.empty())
    failed.add_hint(outcome.hint);
  if (const auto sight = root_->visible_hint(); !sight.empty())
    failed.add_hint(sight);
  return failed;
}

Outcome StageBuilder::run(const RunAction& action) {
  auto command = invocation(action);
  RunMounts mounts(action.mounts, services_.mounts, command);
  // The signal to end has passed a command that begins only now: what it sees took its time.
  go_on();
  auto outcome = [&] {
    const Timed timed(services_.progress, "run", step_);
    return run_action(action, std::move(command), root(), stack_, services_.roots.workspace);
  }();
  mounts.finish();
  return outcome;
}

std::string StageBuilder::add_files(LayerContent content) {
  if (root_ && commands_follow_)
    root_->admit(content.entries);
  return add_layer(std::move(content), Origin::files);
}

std::string StageBuilder::add_layer(LayerContent content, Origin origin) {
  auto note = fmt::format("{} entries", content.entries.size());
  content.step = step_;
  const auto layer = std::make_shared<const MadeLayer>(std::move(content), services_.layers);
  const auto files = layer->files();
  if (is_kept_ || is_of_image())
    layer->write();
  if (is_of_image())
    tell_of(layer);
  if (origin == Origin::files)
    elsewhere_.push_back(layer);
  else if (reach() != CommandReach::nothing)
    in_root_.push_back(layer);
  stack_.push(layer, files->entries);
  if (origin == Origin::command)
    remember_user_files(files->entries);
  return note;
}

/// By now the base has been read: those of its layers that are kept can be sent, too.
void StageBuilder::tell_of(const std::shared_ptr<const StageLayer>& layer) {
  if (!std::exchange(has_told_of_base_, true))
    for (std::size_t i = 0; i < stack_.base_image_layers(); ++i)
      services_.on_image_layer(stack_.layers()[i]);
  services_.on_image_layer(layer);
}

void StageBuilder::remember_user_files(const LayerEntries& entries) {
  const auto layer = static_cast<std::uint32_t>(stack_.layers().size() - 1);
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (const auto entry = entries[i];
        is_captured(entry.path) && entry.meta.type == FileType::regular)
      if (auto text = root_->changed_text(entry.path, max_user_file))
        stack_.remember({layer, static_cast<std::uint32_t>(i)}, *std::move(text));
}

Invocation StageBuilder::invocation(const RunAction& action) {
  const auto identity = resolve_user(action.user, user_files(stack_));
  auto environment = action.whole_environment();
  if (!environment.get("PATH"))
    environment.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (environment.get("HOME").value_or("").empty())
    environment.set("HOME", identity.home);
  Invocation invocation;
  invocation.argv = action.argv;
  invocation.environment = environment.entries();
  invocation.working_directory = RootedPath::parse(action.working_directory);
  invocation.uid = identity.owner.uid;
  invocation.gid = identity.owner.gid;
  // As BuildKit has it, the primary group is among the supplementary ones.
  invocation.groups = {invocation.gid};
  for (const auto group : identity.groups)
    if (group != invocation.gid)
      invocation.groups.push_back(group);
  if (action.network == instruction::RunNetwork::none)
    invocation.network = CommandNetwork::none;
  invocation.hostname = services_.options.commands.hostname;
  add_name_service(invocation, services_.options.commands.hosts);
  return invocation;
}

RootFilesystem& StageBuilder::root() {
  if (!root_)
    root_ = services_.make_root(services_.mode, services_.roots);
  return *root_;
}

void StageBuilder::squash(std::size_t base_layers) {
  if (stack_.layers().size() <= base_layers + 1)
    return;
  auto content = squashed(stack_, base_layers, services_.roots.workspace);
  const auto layer = std::make_shared<const MadeLayer>(std::move(content), services_.layers);
  if (services_.use == StageUse::for_image) {
    layer->write();
    tell_of(layer);
  }
  elsewhere_.push_back(layer);
  stack_ = stack_.lowest(base_layers);
  stack_.push(layer);
  // One layer stands for all: the last step that had one keeps its place in the history.
  bool last = true;
  const auto end = history_.rend() - static_cast<std::ptrdiff_t>(inherited_);
  for (auto entry = history_.rbegin(); entry != end; ++entry)
    if (!entry->empty_layer && !std::exchange(last, false))
      entry->empty_layer = true;
}

} // namespace cairn
