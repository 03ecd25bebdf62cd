#pragma once

#include "util/fd.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// What shows that this process runs in a container, like "/.dockerenv exists"; nothing when
/// nothing does. `root` is "/", `environment` the process's own as "NAME=value".
std::optional<std::string> container_evidence(FdRef root,
                                              const std::vector<std::string>& environment);

} // namespace cairn
