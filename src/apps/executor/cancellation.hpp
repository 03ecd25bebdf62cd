#pragma once

#include "run/process/runner.hpp"

#include <atomic>
#include <mutex>

namespace cairn {

/// Ends a build that is under way: a flag that transfers look at, and the signal for the commands
/// that run. Thread-safe.
class Cancellation {
public:
  const std::atomic<bool>& flag() const noexcept { return flag_; }

  /// Passes the signal on to the commands of `runner` from now on; nullptr: to none.
  void watch(Runner* runner) {
    const std::scoped_lock lock(mutex_);
    runner_ = runner;
    if (runner_ != nullptr && signal_ != 0)
      runner_->forward_signal(signal_);
  }

  void cancel(int signal) {
    flag_ = true;
    const std::scoped_lock lock(mutex_);
    signal_ = signal;
    if (runner_ != nullptr)
      runner_->forward_signal(signal);
  }

private:
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  Runner* runner_ = nullptr;
  int signal_ = 0;
};

} // namespace cairn
