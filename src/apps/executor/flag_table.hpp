#pragma once

#include "apps/executor/parsed_flags.hpp"
#include "apps/shared/flag_set.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Every flag of a build, in the order of its help.
Flags<ParsedExecutorFlags> executor_flags();

} // namespace cairn
