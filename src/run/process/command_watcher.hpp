#pragma once

#include "run/process/command_process.hpp"
#include "run/process/supervisor.hpp"

#include <sys/types.h>

#include <vector>

namespace cairn {

/// A process without namespaces that starts a command and watches over it.
struct CommandWatcher {
  const CommandPlan& command;
  Supervision supervision;
  std::vector<int> kept_descriptors; ///< All others are closed.
};

/// Starts it. @throws SysError
pid_t start_watcher(CommandWatcher& watcher);

} // namespace cairn
