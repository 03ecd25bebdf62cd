#include "run/process/child_process.hpp"

#include "util/error.hpp"

#include <sys/wait.h>

#include <cerrno>

namespace cairn {

void RunningCommands::add(pid_t pid) {
  const std::lock_guard lock(mutex_);
  pids_.insert(pid);
}

void RunningCommands::remove(pid_t pid) {
  const std::lock_guard lock(mutex_);
  pids_.erase(pid);
}

void RunningCommands::signal(int number) {
  const std::lock_guard lock(mutex_);
  for (const pid_t pid : pids_)
    ::kill(pid, number);
}

ChildProcess::ChildProcess(RunningCommands& running, pid_t pid) : running_(running), pid_(pid) {
  running_.add(pid_);
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0)
    return;
  ::kill(pid_, SIGKILL);
  try {
    wait();
  } catch (const Error&) {
    // Nobody can be told here, and there is nothing left to end.
  }
}

int ChildProcess::wait() {
  // Its number may belong to another process once it is reaped, so no signal may be on its way.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  running_.remove(pid_);
  int status = 0;
  pid_t reaped = 0;
  do
    reaped = ::waitpid(pid_, &status, 0);
  while (reaped < 0 && errno == EINTR);
  const int error = errno;
  pid_ = 0;
  if (reaped < 0)
    throw SysError(error, "wait for a command");
  return status;
}

BlockedSignals::BlockedSignals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

BlockedSignals::~BlockedSignals() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

} // namespace cairn
