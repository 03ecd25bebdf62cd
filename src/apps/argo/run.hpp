#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/streams.hpp"

#include <string>
#include <vector>

namespace cairn {

/// cairn-argo-plugin: the exit status.
int run_argo_plugin(const std::vector<std::string>& arguments,
                    const ProcessEnvironment& environment, StandardStreams streams);

} // namespace cairn
