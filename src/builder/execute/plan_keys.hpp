#pragma once

#include "builder/cache/step_key.hpp"
#include "builder/execute/copy_step.hpp"
#include "builder/images/image_library.hpp"
#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "builder/store/context_digests.hpp"

#include <optional>
#include <vector>

namespace cairn {

/// COPY --link makes a layer that is the same whatever is below it.
enum class DependsOn { steps_before, itself };

struct KeyedStep {
  StepKey key;
  DependsOn depends_on = DependsOn::steps_before;
};

/// The keys of one stage.
struct StageKeys {
  /// Beside StagePlan::steps; nothing for a step that only configures.
  std::vector<std::optional<KeyedStep>> steps;
  /// The files of the finished stage, for stages that begin with them or copy from them.
  StepKey files;
};

/// What keys are made from besides the plan; all borrowed.
struct KeyServices {
  const BuildOptions& options;
  /// Contexts; stages and images are known by name here and never read.
  const CopyServices& files;
  ImageLibrary& images;
  ContextDigests& digests; ///< Of files in contexts; learns those that it does not know.
};

/// The keys of all steps of a plan. Nothing is built for it and no layer is read: what a step does
/// and what comes before it is in its key, and of files from contexts what they will be in the
/// image, with their bytes. So neither times nor, where the image does not take them over, owners
/// and modes on this machine are in it. @throws Error with place, when a context lacks a file
std::vector<StageKeys> plan_keys(const Plan& plan, const KeyServices& services);

} // namespace cairn
