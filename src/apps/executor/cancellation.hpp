#pragma once

#include "run/runner.hpp"

#include <atomic>
#include <mutex>

namespace cairn {

/// Ends a build that is under way: a flag that transfers look at, and the signal for the commands
/// that run. Thread-safe.
class Cancellation {
public:
  const std::atomic<bool>& flag() const noexcept { return flag_; }

  /// From now on `signal` is passed to the commands of `runner`, until the value that comes back
  /// is gone.
  class Attachment {
  public:
    Attachment(Cancellation& owner, Runner& runner) : owner_(owner) { owner_.set(&runner); }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    ~Attachment() { owner_.set(nullptr); }

  private:
    Cancellation& owner_;
  };
  [[nodiscard]] Attachment attach(Runner& runner) { return {*this, runner}; }

  void cancel(int signal) {
    flag_ = true;
    const std::scoped_lock lock(mutex_);
    signal_ = signal;
    if (runner_ != nullptr)
      runner_->forward_signal(signal);
  }

private:
  void set(Runner* runner) {
    const std::scoped_lock lock(mutex_);
    runner_ = runner;
    if (runner_ != nullptr && signal_ != 0)
      runner_->forward_signal(signal_);
  }

  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  Runner* runner_ = nullptr;
  int signal_ = 0;
};

} // namespace cairn
