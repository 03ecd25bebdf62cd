#pragma once

#include <signal.h>
#include <sys/types.h>

#include <mutex>
#include <set>

namespace cairn {

/// The processes that prepare and watch over commands, for passing signals to them. Thread-safe.
class RunningCommands {
public:
  void add(pid_t pid);
  void remove(pid_t pid);
  void signal(int number);

private:
  std::mutex mutex_;
  std::set<pid_t> pids_;
};

/// A child of the executor. Killed and reaped at the end of its life.
class ChildProcess {
public:
  /// Takes over a process that was just forked off.
  ChildProcess(RunningCommands& running, pid_t pid);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  pid_t pid() const noexcept { return pid_; }
  /// Waits for its end and reaps it; its wait status. @throws SysError
  int wait();

private:
  RunningCommands& running_;
  pid_t pid_;
};

/// Keeps all signals away from the calling thread, and so from what it forks off meanwhile.
class BlockedSignals {
public:
  BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals();

private:
  sigset_t before_{};
};

} // namespace cairn
