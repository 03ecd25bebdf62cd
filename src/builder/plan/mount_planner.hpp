#pragma once

#include "builder/plan/plan.hpp"
#include "builder/plan/stage_config.hpp"
#include "dockerfile/syntax/instruction.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// What the mounts of a RUN depend on besides the stage's state.
struct MountSurroundings {
  char escape = '\\';
  std::string cache_name_space; ///< BUILDKIT_CACHE_MOUNT_NS
  /// What a `from` names. @throws Error
  std::function<FileOrigin(const std::string& name)> origin;
};

/// Types the mounts of a RUN, with their defaults; adds the variable that names the socket of the
/// first ssh mount to `environment`. @throws Error without a place
std::vector<MountPlan> plan_mounts(const StageConfig& state, const instruction::Run& run,
                                   const MountSurroundings& around, Environment& environment);

} // namespace cairn
