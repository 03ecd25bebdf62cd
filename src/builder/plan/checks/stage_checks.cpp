#include "builder/plan/checks/stage_checks.hpp"

#include "builder/plan/checks/secret_names.hpp"
#include "dockerfile/syntax/quote.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace cairn {

namespace {

namespace in = instruction;

/// They configure the build, and are no variables.
constexpr std::array silent_names = {"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"};

/// With how many variables a name is compared that may be a mistyped one's.
constexpr std::size_t most_compared = 200;

std::vector<std::string> names_in(const Environment& variables) {
  std::vector<std::string> names;
  for (const auto& entry : variables.entries())
    if (names.size() < most_compared)
      names.push_back(entry.substr(0, entry.find('=')));
  return names;
}

} // namespace

void StageChecks::report(LintRule rule, std::string detail) const {
  if (checks_.linter != nullptr)
    checks_.linter->report(rule, range_, current_->comments, std::move(detail));
}

void StageChecks::before(StageConfig& state, const Instruction& instruction, SourceRange range) {
  if (checks_.linter == nullptr)
    return;
  current_ = &common(instruction);
  range_ = range;
  state.on_unset = [this, &state](std::string_view name) { undefined(state, name); };
  if (const auto* expose = std::get_if<in::Expose>(&instruction))
    ports(state, *expose);
  if (const auto* arg = std::get_if<in::Arg>(&instruction))
    for (const auto& argument : arg->arguments)
      secret_name("ARG", argument.name);
}

void StageChecks::after(StageConfig& state, const Instruction& instruction, const Step& step) {
  state.on_unset = nullptr;
  if (checks_.linter == nullptr)
    return;
  if (const auto* env = std::get_if<in::Env>(&instruction))
    pairs(env->variables, *env);
  else if (const auto* label = std::get_if<in::Label>(&instruction))
    pairs(label->labels, *label);
  else if (const auto* workdir_line = std::get_if<in::Workdir>(&instruction))
    workdir(state, *workdir_line);
  else if (const auto* health = std::get_if<in::Healthcheck>(&instruction))
    once(*health);
  else if (const auto* cmd = std::get_if<in::Cmd>(&instruction))
    command(state, *cmd, cmd->command);
  else if (const auto* entrypoint = std::get_if<in::Entrypoint>(&instruction))
    command(state, *entrypoint, entrypoint->command);
  else if (const auto* action = std::get_if<CopyAction>(&step.action))
    sources(*action);
}

/// An argument that was declared without a value is not undefined. What a base image defines that
/// cannot be had, nobody knows.
void StageChecks::undefined(const StageConfig& state, std::string_view name) const {
  if (state.arguments.contains(name) || !state.base_is_known ||
      std::find(silent_names.begin(), silent_names.end(), name) != silent_names.end())
    return;
  report(LintRule::undefined_var, fmt::format("Usage of undefined variable '${}'{}", name,
                                              meant_name(name, names_in(state.variables), "$")));
}

void StageChecks::ports(const StageConfig& state, const in::Expose& expose) const {
  for (const auto& written : expose.ports)
    for (const auto& port : expand_words(written, state.quiet_lookup(), escape_)) {
      const auto colon = port.rfind(':');
      const auto container = std::string_view(port).substr(colon + 1); // npos + 1 is 0
      const auto protocol = cut(container, '/');
      if (protocol && protocol->second != to_lower(protocol->second))
        report(
            LintRule::expose_proto_casing,
            fmt::format("Defined protocol '{}' in EXPOSE instruction should be lowercase", port));
      if (colon != std::string::npos && port.find_first_not_of(':') < colon)
        report(LintRule::expose_invalid_format,
               fmt::format("EXPOSE instruction should not define an IP address or host-port "
                           "mapping, found '{}'",
                           port));
    }
}

void StageChecks::secret_name(std::string_view instruction, const std::string& name) const {
  if (sounds_secret(name))
    report(LintRule::secrets_used_in_arg_or_env,
           fmt::format("Do not use ARG or ENV instructions for sensitive data ({} {})", instruction,
                       quoted(name)));
}

void StageChecks::pairs(const std::vector<in::NameValue>& pairs, const in::Common& of) const {
  const auto name = name_as_written(of);
  for (const auto& pair : pairs) {
    if (pair.legacy)
      report(LintRule::legacy_key_value_format,
             fmt::format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" "
                         "format",
                         name));
    if (equals_ignoring_case(name, "env"))
      secret_name("ENV", pair.name);
  }
}

/// The warning is about the earlier one, which is the one that has no effect.
void StageChecks::once(const in::Common& instruction) {
  const auto name = name_as_written(instruction);
  const auto [earlier, is_first] = used_.try_emplace(to_lower(name), range_);
  if (!is_first && checks_.linter != nullptr)
    checks_.linter->report(LintRule::multiple_instructions_disallowed, earlier->second,
                           instruction.comments,
                           fmt::format("Multiple {} instructions should not be used in the same "
                                       "stage because only the last one will be used",
                                       name));
  earlier->second = range_;
}

void StageChecks::command(const StageConfig& state, const in::Common& instruction,
                          const in::CommandForm& command) {
  once(instruction);
  const bool has_shell = !state.image.config.shell.empty() || !state.base_is_known;
  if (command.form == in::Form::shell && !has_shell)
    report(LintRule::json_args_recommended,
           fmt::format("JSON arguments recommended for {} to prevent unintended behavior related "
                       "to OS signals",
                       name_as_written(instruction)));
}

void StageChecks::workdir(StageConfig& state, const in::Workdir& workdir) const {
  const auto path = expand_word(workdir.path, state.quiet_lookup(), escape_);
  if (!std::exchange(state.has_workdir, true) && !path.starts_with('/'))
    report(LintRule::workdir_relative_path,
           fmt::format("Relative workdir {} can have unexpected results if the base image changes",
                       quoted(path)));
}

void StageChecks::sources(const CopyAction& action) const {
  if (checks_.ignored == nullptr || !std::holds_alternative<MainContext>(action.from))
    return;
  const auto* verb = action.kind == CopyAction::Kind::add ? "Add" : "Copy";
  for (const auto& source : action.sources) {
    const auto* local = std::get_if<LocalSource>(&source);
    const auto path = local != nullptr ? clean_path(local->pattern) : std::string();
    if (local != nullptr && checks_.ignored->hold(path))
      report(LintRule::copy_ignored_file,
             fmt::format("Attempting to {} file {} that is excluded by .dockerignore", verb,
                         quoted(path)));
  }
}

} // namespace cairn
