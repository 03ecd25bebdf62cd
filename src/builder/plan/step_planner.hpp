#pragma once

#include "builder/plan/checks/stage_checks.hpp"
#include "builder/plan/plan.hpp"
#include "builder/plan/plan_limits.hpp"
#include "builder/plan/stage_config.hpp"
#include "builder/plan/stage_graph.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// Turns the instructions of one stage into steps while its state advances.
class StepPlanner {
public:
  /// Plans another stage by its number and returns its position in the plan.
  using StagePosition = std::function<std::size_t(std::size_t number)>;

  /// The arguments are borrowed.
  StepPlanner(const StageGraph& graph, std::size_t number, StagePosition position,
              PlanLimits& limits);

  /// The ONBUILD triggers that the state inherited; they leave the state.
  void plan_triggers(StageConfig& state, const StageNode& node, std::vector<Step>& steps);
  void plan_instructions(StageConfig& state, const StageNode& node, std::vector<Step>& steps);

private:
  /// `warned` is where build checks point.
  Step plan(StageConfig& state, const Instruction& instruction, const Place& place,
            SourceRange warned);
  Step plan_copy(const StageConfig& state, const instruction::Copy& copy);
  Step plan_add(const StageConfig& state, const instruction::Add& add);
  Step plan_workdir(StageConfig& state, const instruction::Workdir& workdir);
  Step plan_run(const StageConfig& state, const instruction::Run& run);
  CopyAction transfer(const StageConfig& state, const instruction::Transfer& transfer,
                      CopyAction::Kind kind) const;
  std::vector<std::string> expand(const StageConfig& state,
                                  const std::vector<std::string>& words) const;
  FileOrigin origin(const std::string& name);

  const StageGraph& graph_;
  std::size_t number_;
  StagePosition position_;
  PlanLimits& limits_;
  StageChecks checks_;
};

} // namespace cairn
