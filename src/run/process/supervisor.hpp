#pragma once

#include "run/process/command_process.hpp"

#include <sys/types.h>

#include <chrono>

namespace cairn {

/// Where the processes of a command are found when it has ended.
enum class Descendants {
  in_namespace, ///< The supervisor is process 1; they end with it.
  adopted,      ///< They are, or become, children of the supervisor.
};

struct Supervision {
  int socket = -1;
  /// The executor's process id as seen by the supervisor; 0 outside the pid namespace.
  pid_t executor = 0;
  Descendants descendants = Descendants::adopted;
  std::chrono::milliseconds grace{};
};

/// Starts the command and waits for it: reaps what it leaves behind, passes on signals from the
/// executor, kills what does not end in time or outlives the command, and reports how it ended.
/// All signals must be blocked. Async-signal-safe.
[[noreturn]] void supervise(const CommandPlan& plan, const Supervision& how) noexcept;

/// Sees to it that the calling process, and all below it, end when the executor does. To be called
/// first. Async-signal-safe.
void follow_executor(const Supervision& how) noexcept;

/// Kills and reaps all descendants of the calling process. Async-signal-safe.
void kill_descendants() noexcept;

} // namespace cairn
