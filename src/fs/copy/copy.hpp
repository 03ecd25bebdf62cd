#pragma once

#include "fs/copy/copy_plan.hpp"
#include "fs/copy/copy_request.hpp"
#include "fs/tree/tree.hpp"

namespace cairn {

/// @throws Error ("src/x" is not in the build context), with a hint when an ignore rule hides it
CopyPlan plan_copy(const CopyRequest& request, const Tree& stage);

} // namespace cairn
