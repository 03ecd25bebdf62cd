#pragma once

#include "build/draft.hpp"
#include "build/plan.hpp"
#include "build/plan_checks.hpp"
#include "dockerfile/instruction.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn {

/// The build checks about the instructions of one stage, one after the other. Each comes in twice:
/// before it changes the draft, and with the step that it became.
class StageChecks {
public:
  /// `escape` is the file's escape character.
  StageChecks(const PlanChecks& checks, char escape) : checks_(checks), escape_(escape) {}

  /// `range` is where warnings point: at FROM for triggers, which stand in no file.
  void before(StageDraft& draft, const Instruction& instruction, SourceRange range);
  void after(StageDraft& draft, const Instruction& instruction, const Step& step);

private:
  void report(LintRule rule, std::string detail) const;
  void undefined(const StageDraft& draft, std::string_view name) const;
  void ports(const StageDraft& draft, const instruction::Expose& expose) const;
  void secret_name(std::string_view instruction, const std::string& name) const;
  void pairs(const std::vector<instruction::NameValue>& pairs, const instruction::Common& of) const;
  void once(const instruction::Common& instruction);
  void command(const StageDraft& draft, const instruction::Common& instruction,
               const instruction::CommandForm& command);
  void workdir(StageDraft& draft, const instruction::Workdir& workdir) const;
  void sources(const CopyAction& action) const;

  const PlanChecks& checks_;
  char escape_;
  const instruction::Common* current_ = nullptr;
  SourceRange range_;
  std::map<std::string, SourceRange> used_; ///< Instructions of which only the last one counts.
};

} // namespace cairn
