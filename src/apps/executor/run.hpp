#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/streams.hpp"

#include <string>
#include <vector>

namespace cairn {

/// The executor: does what the command line (without the program's name) asks for. The exit
/// status: 0; that of a RUN that failed; 75 when trying again could help; 128 + N when signal N
/// ended the build; otherwise 1.
int run_executor(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
                 StandardStreams streams);

} // namespace cairn
