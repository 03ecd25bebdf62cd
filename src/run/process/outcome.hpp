#pragma once

#include "run/process/child_process.hpp"
#include "run/process/command_process.hpp"
#include "run/process/handshake.hpp"
#include "run/process/runner.hpp"

namespace cairn {

/// Listens to a command's process until it has ended, passes its output on, and says how it ended.
/// @throws SysError when the command could not be prepared, or its output could not be passed on
Outcome await_outcome(Handshake& handshake, ChildProcess& child, const CommandPlan& plan,
                      CommandOutput& output);

/// The outcome that a wait status says.
Outcome outcome_of(int wait_status);

/// The outcome of a program that did not start: as shells and container runtimes report it.
Outcome outcome_of_exec(const SetupReport& report, const std::string& program);

} // namespace cairn
