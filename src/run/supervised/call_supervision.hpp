#pragma once

#include "run/supervised/call.hpp"
#include "util/fd.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

namespace cairn {

class CallReplays;

/// Answers the calls of a command, from the moment its process is under a filter until its last
/// thread has gone. One thread, beside one for replays while there are any.
class CallSupervision {
public:
  /// `handler` is lent. `on_failure` is called, by another thread, when calls can no longer be
  /// answered: they give ENOSYS, and the command should be ended. @throws SysError
  CallSupervision(Fd listener, CallHandler& handler, std::function<void()> on_failure);
  CallSupervision(const CallSupervision&) = delete;
  CallSupervision& operator=(const CallSupervision&) = delete;
  ~CallSupervision(); ///< Stops: calls give ENOSYS from now on.

  /// Waits until the last thread has gone. To be called before a supervised child of the executor
  /// itself is waited for: that would take the stops of a replay. @throws what kept calls from
  /// being answered
  void finish();
  /// Whether there was a call of another architecture, which all give ENOSYS. Known when it has
  /// finished.
  bool met_foreign() const noexcept { return met_foreign_; }

private:
  void work() noexcept;
  void answer_all(CallListener& listener, CallReplays& replays);

  CallHandler& handler_;
  std::function<void()> on_failure_;
  Fd listener_;
  Fd stop_; ///< An eventfd: readable when it is time to stop.
  std::atomic<bool> has_ended_ = false;
  std::exception_ptr error_; ///< Of the thread; to be read when it has ended.
  bool met_foreign_ = false; ///< The same.
  std::jthread thread_;
};

} // namespace cairn
