#include "dockerfile/lint/lint_stages.hpp"

#include "util/text.hpp"

#include <fmt/core.h>

#include <set>
#include <string>

namespace cairn {

namespace {

void lint_names(const Dockerfile& dockerfile, Linter& linter) {
  std::set<std::string> names;
  for (const auto& stage : dockerfile.stages) {
    const auto& from = stage.from;
    if (!from.name)
      continue;
    if (*from.name == "scratch" || *from.name == "context")
      linter.report(LintRule::reserved_stage_name, from.range, from.comments,
                    fmt::format("Stage name should not use the same name as reserved stage \"{}\"",
                                *from.name));
    if (!names.insert(*from.name).second)
      linter.report(
          LintRule::duplicate_stage_name, from.range, from.comments,
          fmt::format("Duplicate stage name \"{}\", stage names should be unique", *from.name));
  }
}

/// FROM and what follows it, stage by stage.
std::vector<const instruction::Common*> commands_of(const Dockerfile& dockerfile) {
  std::vector<const instruction::Common*> commands;
  for (const auto& stage : dockerfile.stages) {
    commands.push_back(&stage.from);
    for (const auto& instruction : stage.instructions)
      commands.push_back(&common(instruction));
  }
  return commands;
}

void lint_casing(const Dockerfile& dockerfile, Linter& linter) {
  const auto commands = commands_of(dockerfile);
  std::size_t lower = 0;
  std::size_t upper = 0;
  for (const auto* command : commands) {
    const auto name = name_as_written(*command);
    lower += name == to_lower(name) ? 1 : 0;
    upper += name == to_upper(name) ? 1 : 0;
  }
  const bool mostly_lower = lower > upper;
  for (const auto* command : commands) {
    const auto name = name_as_written(*command);
    if (name == (mostly_lower ? to_lower(name) : to_upper(name)))
      continue;
    linter.report(LintRule::consistent_instruction_casing, command->range, command->comments,
                  fmt::format("Command '{}' should match the case of the command majority ({})",
                              name, mostly_lower ? "lowercase" : "uppercase"));
  }
}

} // namespace

void lint_stages(const Dockerfile& dockerfile, Linter& linter) {
  lint_names(dockerfile, linter);
  lint_casing(dockerfile, linter);
}

} // namespace cairn
