#include "run/process/outcome.hpp"

#include "util/error.hpp"

#include <sys/wait.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr int not_found = 127;
constexpr int not_runnable = 126;

} // namespace

Outcome outcome_of(int wait_status) {
  Outcome outcome;
  if (WIFSIGNALED(wait_status)) {
    outcome.signal = WTERMSIG(wait_status);
    outcome.exit_status = 128 + *outcome.signal;
  } else {
    outcome.exit_status = WEXITSTATUS(wait_status);
  }
  return outcome;
}

Outcome outcome_of_exec(const SetupReport& report, const std::string& program) {
  Outcome outcome;
  outcome.exit_status =
      report.error == ENOENT || report.error == ENOTDIR ? not_found : not_runnable;
  std::string cause;
  if (report.step == SetupStep::exec_interpreter)
    cause = "its interpreter does not exist";
  else if (report.error == ENOENT && program.find('/') == std::string::npos)
    cause = "executable file not found in $PATH";
  else if (report.error == ENOENT)
    cause = "no such file or directory";
  else if (report.error == EACCES)
    cause = "permission denied";
  else if (report.error == ENOEXEC)
    cause = "exec format error";
  else
    cause = std::generic_category().message(report.error);
  outcome.not_started = fmt::format("exec: \"{}\": {}", program, cause);
  return outcome;
}

Outcome await_outcome(Handshake& handshake, ChildProcess& child, const CommandPlan& plan,
                      CommandOutput& output) {
  std::optional<Outcome> refused;
  std::optional<SetupReport> ended;
  for (;;) {
    output.pass_on_until(handshake.socket());
    const auto report = handshake.receive();
    if (!report)
      break;
    const bool is_exec =
        report->step == SetupStep::exec || report->step == SetupStep::exec_interpreter;
    if (is_exec)
      refused = outcome_of_exec(*report, plan.program());
    else if (report->error != 0)
      throw SetupError(report->step, report->error);
    else if (report->step == SetupStep::finished)
      ended = report;
  }
  const int status = child.wait();
  output.finish();
  if (refused)
    return *refused;
  // Without a report the process that watched over the command was killed, and the command with it.
  return ended ? outcome_of(ended->value) : outcome_of(status);
}

} // namespace cairn
