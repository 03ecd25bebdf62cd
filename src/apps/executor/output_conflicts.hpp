#pragma once

#include "builder/options/build_options.hpp"

namespace cairn {

/// Refuses what would be written over something else of the same build: over another output, a
/// cache, the context. @throws Error naming both flags
void check_output_conflicts(const BuildOptions& options);

} // namespace cairn
