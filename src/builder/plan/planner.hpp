#pragma once

#include "builder/plan/base_configs.hpp"
#include "builder/plan/plan.hpp"
#include "builder/plan/plan_options.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/progress.hpp"

namespace cairn {

/// Turns a Dockerfile into a Plan. Does nothing but ask `bases`.
/// @throws Error with file, line and excerpt for what is wrong, not supported or too large
Plan make_plan(const Dockerfile& dockerfile, const PlanOptions& options, BaseConfigs& bases,
               Progress& progress);

} // namespace cairn
