#pragma once

#include "builder/cache/step_caches.hpp"
#include "builder/execute/plan_keys.hpp"
#include "builder/images/image_library.hpp"
#include "builder/inputs/build_context.hpp"
#include "builder/inputs/downloads.hpp"
#include "builder/inputs/git_library.hpp"
#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "builder/store/workspace.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace cairn {

/// What becomes of one step.
struct StepSchedule {
  std::shared_ptr<const BaseImage> cached; ///< Its layer; null when the step is carried out.
  std::optional<StepKey> key;              ///< Under which its layer is put into the caches.
};

/// What becomes of one stage.
struct StageSchedule {
  bool needed = false;             ///< Nothing is done for the others.
  std::vector<StepSchedule> steps; ///< Beside StagePlan::steps.
  /// Stages that have to be there before this one begins, each once.
  std::vector<std::size_t> dependencies;
};

/// What has to be done of a plan, beside Plan::stages.
struct Schedule {
  std::vector<StageSchedule> stages;

  bool is_cached(std::size_t stage, std::size_t step) const {
    return stages.at(stage).steps.at(step).cached != nullptr;
  }
  /// True when a command has to be run.
  bool runs_commands(const Plan& plan) const;
};

/// Everything is done.
Schedule whole_schedule(const Plan& plan);

/// Looks all steps up at the same time. A step is taken from the caches when everything below it is
/// the same as when it was put there: a command that is run again may leave something else, so of
/// what comes after it only layers that stand alone are taken. Stages that nothing needs any more
/// are not built.
Schedule cached_schedule(const Plan& plan, const std::vector<StageKeys>& keys, StepCaches& caches,
                         const CacheOptions& options);

/// What contexts tell without building anything.
struct ContextServices {
  const BuildContext& context;
  ImageLibrary& images;
  Downloads& downloads;
  GitLibrary& repositories;
  Workspace& workspace;
  const Clock& clock;
  const CacheDirectory* kept = nullptr; ///< Where digests of files are kept; may be null.
};

/// What has to be done of the plan.
Schedule make_schedule(const Plan& plan, const BuildOptions& options, StepCaches& caches,
                       const ContextServices& services);

} // namespace cairn
