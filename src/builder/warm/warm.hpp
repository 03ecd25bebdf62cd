#pragma once

#include "builder/warm/warm_report.hpp"
#include "builder/warm/warm_request.hpp"

namespace cairn {

/// Puts images, and what Dockerfiles need, into a cache directory. What cannot be had is in the
/// report; the rest is done all the same. @throws Error when nothing can be done; Cancelled
WarmReport warm(const WarmRequest& request, const WarmServices& services);

} // namespace cairn
