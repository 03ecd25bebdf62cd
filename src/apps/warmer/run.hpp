#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/streams.hpp"

#include <string>
#include <vector>

namespace cairn {

/// Runs the warmer: the whole program but for what belongs to the process. Returns the exit status:
/// 75 when all that failed may work another time. Never throws an Error.
int run_warmer(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
               StandardStreams streams);

} // namespace cairn
