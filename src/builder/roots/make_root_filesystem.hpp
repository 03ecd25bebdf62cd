#pragma once

#include "builder/roots/root_filesystem.hpp"
#include "run/isolation_probe.hpp"

#include <memory>

namespace cairn {

/// A root for a mode on which commands can be run.
/// In place, whatever a stage before left in the container's "/" is removed.
std::unique_ptr<RootFilesystem> make_root_filesystem(IsolationMode mode,
                                                     const RootServices& services);

} // namespace cairn
