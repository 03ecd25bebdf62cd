#pragma once

#include "build/draft.hpp"
#include "build/plan.hpp"
#include "build/plan_limits.hpp"
#include "build/stage_checks.hpp"
#include "build/stage_graph.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// Turns the instructions of one stage into steps while its draft advances.
class StepPlanner {
public:
  /// Plans another stage by its number and returns its position in the plan.
  using StagePosition = std::function<std::size_t(std::size_t number)>;

  /// The arguments are borrowed.
  StepPlanner(const StageGraph& graph, std::size_t number, StagePosition position,
              PlanLimits& limits);

  /// The ONBUILD triggers that the draft inherited; they leave the draft.
  void plan_triggers(StageDraft& draft, const StageNode& node, std::vector<Step>& steps);
  void plan_instructions(StageDraft& draft, const StageNode& node, std::vector<Step>& steps);

private:
  /// `warned` is where build checks point.
  Step plan(StageDraft& draft, const Instruction& instruction, const Place& place,
            SourceRange warned);
  Step plan_copy(const StageDraft& draft, const instruction::Copy& copy);
  Step plan_add(const StageDraft& draft, const instruction::Add& add);
  Step plan_workdir(StageDraft& draft, const instruction::Workdir& workdir);
  Step plan_run(const StageDraft& draft, const instruction::Run& run);
  CopyAction transfer(const StageDraft& draft, const instruction::Transfer& transfer,
                      CopyAction::Kind kind) const;
  std::vector<std::string> expand(const StageDraft& draft,
                                  const std::vector<std::string>& words) const;
  FileOrigin origin(const std::string& name);

  const StageGraph& graph_;
  std::size_t number_;
  StagePosition position_;
  PlanLimits& limits_;
  StageChecks checks_;
};

} // namespace cairn
