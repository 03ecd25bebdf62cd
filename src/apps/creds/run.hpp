#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/streams.hpp"

#include <string>
#include <vector>

namespace cairn {

/// cairn-creds: does what the command line (without the program's name) asks for. The exit status:
/// 0; 75 when trying again could help; otherwise 1.
int run_creds(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
              StandardStreams streams);

} // namespace cairn
