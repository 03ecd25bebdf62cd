#pragma once

#include "util/fd.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

namespace cairn {

/// Turns SIGTERM and SIGINT into an orderly end. Made in main before any other thread: it blocks
/// both signals, threads made later inherit that, and a thread of its own takes them. Programs that
/// are started must unblock them again.
///
/// The first signal calls `on_signal` once, in that thread; the second ends the program at once
/// with status 128 + N.
class SignalWatch {
public:
  using Callback = std::function<void(int signal)>; ///< Must not throw.

  /// @throws SysError
  explicit SignalWatch(Callback on_signal);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch(); ///< Waits for the callback; the signals stay blocked.

  /// The signal that came; nothing while none has.
  std::optional<int> received() const noexcept;
  /// `status`, or 128 + N when signal N asked the program to end.
  int exit_status(int status) const noexcept;

private:
  void watch();

  Callback on_signal_;
  std::atomic<int> received_{0};
  Fd signals_;
  Pipe stop_; ///< Closing its writing end ends the thread.
  std::jthread thread_;
};

/// Writing to a pipe or socket that nobody reads, or beyond the limit on the size of files, becomes
/// an error where it happens. Programs that are started must have the defaults again.
void ignore_write_signals() noexcept;

} // namespace cairn
