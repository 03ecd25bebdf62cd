#pragma once

#include "builder/plan/checks/plan_checks.hpp"
#include "builder/plan/plan.hpp"
#include "builder/plan/stage_config.hpp"
#include "dockerfile/syntax/instruction.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn {

/// The build checks about the instructions of one stage, one after the other. Each comes in twice:
/// before it changes the state, and with the step that it became.
class StageChecks {
public:
  /// `escape` is the file's escape character.
  StageChecks(const PlanChecks& checks, char escape) : checks_(checks), escape_(escape) {}

  /// `range` is where warnings point: at FROM for triggers, which stand in no file.
  void before(StageConfig& state, const Instruction& instruction, SourceRange range);
  void after(StageConfig& state, const Instruction& instruction, const Step& step);

private:
  void report(LintRule rule, std::string detail) const;
  void undefined(const StageConfig& state, std::string_view name) const;
  void ports(const StageConfig& state, const instruction::Expose& expose) const;
  void secret_name(std::string_view instruction, const std::string& name) const;
  void pairs(const std::vector<instruction::NameValue>& pairs, const instruction::Common& of) const;
  void once(const instruction::Common& instruction);
  void command(const StageConfig& state, const instruction::Common& instruction,
               const instruction::CommandForm& command);
  void workdir(StageConfig& state, const instruction::Workdir& workdir) const;
  void sources(const CopyAction& action) const;

  const PlanChecks& checks_;
  char escape_;
  const instruction::Common* current_ = nullptr;
  SourceRange range_;
  std::map<std::string, SourceRange> used_; ///< Instructions of which only the last one counts.
};

} // namespace cairn
