#include "build/step_planner.hpp"

#include "build/mount_planner.hpp"
#include "build/named_context.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cairn {

namespace {

namespace in = instruction;

/// Usable without ARG, in commands only, and neither in history nor in cache keys.
constexpr std::array proxy_names = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
                                    "FTP_PROXY",  "ftp_proxy",  "NO_PROXY",    "no_proxy",
                                    "ALL_PROXY",  "all_proxy"};

bool is_url(std::string_view source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

CopyOperand operand(const std::string& text, CopyAction::Kind kind) {
  const bool is_add = kind == CopyAction::Kind::add;
  // What could be a path is one: git's short form is for contexts.
  if (auto git = parse_git_source(text); git && !git->reference.looks_local) {
    if (!is_add)
      throw with_hint(Error("COPY: source can't be a git ref for COPY: {}", git->text),
                      "ADD fetches git repositories");
    return *std::move(git);
  }
  if (!is_url(text))
    return LocalSource{text};
  if (!is_add)
    throw with_hint(Error("COPY: source can't be a URL for COPY: {}", text), "ADD downloads URLs");
  throw Error("ADD of a URL is not supported yet: {}", text);
}

/// --checksum, which goes with a single source that is fetched.
void set_checksum(CopyAction& action, const std::string& text) {
  if (action.sources.size() + action.files.size() != 1)
    throw Error("ADD: checksum can't be specified for multiple sources");
  auto* git = action.sources.empty() ? nullptr : std::get_if<GitSource>(&action.sources.front());
  if (git == nullptr)
    throw Error("ADD: checksum requires HTTP(S) or Git sources");
  auto& known = git->reference.checksum;
  if (!known.empty() && known != text)
    throw Error("ADD: checksum mismatch \"{}\" != \"{}\"", text, known);
  known = text;
}

/// --keep-git-dir, which the query of a reference may say as well.
void set_keep_git_dir(CopyAction& action, bool keep) {
  for (auto& source : action.sources)
    if (auto* git = std::get_if<GitSource>(&source)) {
      auto& known = git->reference.keep_git_dir;
      if (known && *known != keep)
        throw Error("ADD: inconsistent keep-git-dir configuration: {}", git->text);
      known = keep;
    }
}

void check_checksums(const CopyAction& action) {
  for (const auto& source : action.sources)
    if (const auto* git = std::get_if<GitSource>(&source))
      within([&] { check_git_checksum(git->reference.checksum); }, "ADD {}", git->text);
}

/// "COPY --chown=1:1 a b # buildkit"; BuildKit leaves --checksum out.
std::string copy_history(const CopyAction& action, const std::vector<std::string>& sources) {
  std::string text = action.kind == CopyAction::Kind::add ? "ADD" : "COPY";
  if (action.parents)
    text += " --parents";
  if (action.chown)
    text += " --chown=" + *action.chown;
  if (action.chmod)
    text += " --chmod=" + *action.chmod;
  for (const auto& source : sources)
    text += " " + redact_git_reference(source);
  for (const auto& file : action.files)
    text += " <<" + file.name;
  return text + " " + action.destination + " # buildkit";
}

std::string one_line(std::string_view text) {
  const auto end = text.find('\n');
  return end == std::string_view::npos ? std::string(text)
                                       : std::string(text.substr(0, end)) + " …";
}

} // namespace

StepPlanner::StepPlanner(const StageGraph& graph, std::size_t number, StagePosition position)
    : graph_(graph), number_(number), position_(std::move(position)),
      arguments_(graph.arguments()) {}

void StepPlanner::plan_triggers(StageDraft& draft, const StageNode& node,
                                std::vector<Step>& steps) {
  const auto triggers = std::exchange(draft.image.config.on_build, {});
  for (const auto& trigger : triggers)
    within_place(node.place, [&] {
      const auto origin = fmt::format("ONBUILD of {}", node.stage->from.image);
      const auto instruction = parse_instruction(trigger, origin);
      const auto source = std::make_shared<SourceFile>(origin, trigger);
      steps.push_back(plan(draft, instruction, {source, common(instruction).range}));
    });
}

void StepPlanner::plan_instructions(StageDraft& draft, const StageNode& node,
                                    std::vector<Step>& steps) {
  for (const auto& instruction : node.stage->instructions)
    steps.push_back(plan(draft, instruction, {graph_.source(), common(instruction).range}));
}

Step StepPlanner::plan(StageDraft& draft, const Instruction& instruction, const Place& place) {
  return within_place(place, [&] {
    Step step;
    if (const auto* copy = std::get_if<in::Copy>(&instruction))
      step = plan_copy(draft, *copy);
    else if (const auto* add = std::get_if<in::Add>(&instruction))
      step = plan_add(draft, *add);
    else if (const auto* workdir = std::get_if<in::Workdir>(&instruction))
      step = plan_workdir(draft, *workdir);
    else if (const auto* run = std::get_if<in::Run>(&instruction))
      step = plan_run(draft, *run);
    else
      step.created_by = apply_config(draft, instruction, arguments_, graph_.escape());
    step.place = place;
    step.text = one_line(common(instruction).text);
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
  if (const auto* git = std::get_if<GitSource>(&found))
    return *git;
  return MainContext{};
}

std::vector<std::string> StepPlanner::expand(const StageDraft& draft,
                                             const std::vector<std::string>& words) const {
  std::vector<std::string> expanded;
  expanded.reserve(words.size());
  for (const auto& word : words)
    expanded.push_back(expand_word(word, draft.lookup(), graph_.escape()));
  return expanded;
}

CopyAction StepPlanner::transfer(const StageDraft& draft, const in::Transfer& transfer,
                                 CopyAction::Kind kind) const {
  const auto word = [&](const std::string& text) {
    return expand_word(text, draft.lookup(), graph_.escape());
  };
  CopyAction action;
  action.kind = kind;
  for (const auto& source : expand(draft, transfer.sources))
    action.sources.push_back(operand(source, kind));
  for (auto file : transfer.files) {
    if (file.expand)
      file.content = expand_heredoc(file.content, draft.lookup());
    action.files.push_back(std::move(file));
  }
  action.destination = word(transfer.destination);
  if (action.destination.empty())
    action.destination = "./";
  action.working_directory = draft.working_directory();
  if (transfer.chown)
    action.chown = word(*transfer.chown);
  if (transfer.chmod)
    action.chmod = word(*transfer.chmod);
  action.excludes = expand(draft, transfer.excludes);
  action.link = transfer.link;
  return action;
}

Step StepPlanner::plan_copy(const StageDraft& draft, const in::Copy& copy) {
  CopyAction action = transfer(draft, copy, CopyAction::Kind::copy);
  action.parents = copy.parents;
  if (copy.from)
    action.from = origin(*copy.from);
  Step step;
  step.created_by = copy_history(action, expand(draft, copy.sources));
  step.action = std::move(action);
  return step;
}

Step StepPlanner::plan_add(const StageDraft& draft, const in::Add& add) {
  CopyAction action = transfer(draft, add, CopyAction::Kind::add);
  action.unpack = add.unpack;
  if (add.checksum)
    set_checksum(action, expand_word(*add.checksum, draft.lookup(), graph_.escape()));
  if (add.keep_git_dir)
    set_keep_git_dir(action, *add.keep_git_dir);
  check_checksums(action);
  Step step;
  step.created_by = copy_history(action, expand(draft, add.sources));
  step.action = std::move(action);
  return step;
}

Step StepPlanner::plan_workdir(StageDraft& draft, const in::Workdir& workdir) {
  const auto path = expand_word(workdir.path, draft.lookup(), graph_.escape());
  auto& config = draft.image.config;
  config.working_dir = path.starts_with('/') ? path : join_path(draft.working_directory(), path);
  Step step;
  step.created_by = "WORKDIR " + config.working_dir;
  if (const auto directory = draft.working_directory(); directory != "/")
    step.action = DirectoryAction{directory, config.user};
  return step;
}

Step StepPlanner::plan_run(const StageDraft& draft, const in::Run& run) {
  if (!run.devices.empty())
    throw Error("RUN --device is not supported");
  if (run.security == in::RunSecurity::insecure)
    throw with_hint(Error("RUN --security=insecure is not allowed"),
                    "a build has no more privilege than its pod");
  RunAction action;
  action.argv = command_line(draft, run.command);
  if (action.argv.empty())
    throw Error("RUN: there is no command");
  action.environment = draft.variables;
  for (const auto* name : proxy_names)
    if (const auto given = graph_.build_args().find(name);
        given != graph_.build_args().end() && !action.environment.get(name))
      action.environment.set(name, given->second);
  action.working_directory = draft.working_directory();
  action.user = draft.image.config.user;
  action.script = run.script;
  action.network = run.network;
  const auto& given = graph_.build_args();
  const auto name_space = given.find("BUILDKIT_CACHE_MOUNT_NS");
  action.mounts = plan_mounts(draft, run,
                              {graph_.escape(), name_space != given.end() ? name_space->second : "",
                               [this](const std::string& name) { return origin(name); }},
                              action.environment);
  Step step;
  step.created_by = "RUN " + run_history(draft, action.argv) + " # buildkit";
  step.action = std::move(action);
  return step;
}

} // namespace cairn
