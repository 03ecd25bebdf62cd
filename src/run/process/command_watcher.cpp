#include "run/process/command_watcher.hpp"

#include "run/process/child_process.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

/// The life of the process that watches over the command. Async-signal-safe.
[[noreturn]] void watch(const CommandWatcher& watcher) noexcept {
  close_descriptors(watcher.kept_descriptors.data(), watcher.kept_descriptors.size(), Closing::now);
  follow_executor(watcher.supervision);
  supervise(watcher.command, watcher.supervision);
}

} // namespace

pid_t start_watcher(CommandWatcher& watcher) {
  std::sort(watcher.kept_descriptors.begin(), watcher.kept_descriptors.end());
  const BlockedSignals blocked;
  const pid_t pid = raw_clone(0);
  if (pid == 0)
    watch(watcher);
  if (pid < 0)
    throw SysError(errno, "start a process");
  return pid;
}

} // namespace cairn
