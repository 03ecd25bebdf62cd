#pragma once

#include "builder/plan/plan.hpp"

#include <string>

namespace cairn {

/// The Plan as text, for --dryrun and golden tests.
std::string print_plan(const Plan& plan);

} // namespace cairn
