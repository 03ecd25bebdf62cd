#pragma once

#include "run/supervised/call.hpp"

#include <sys/ptrace.h>
#include <sys/user.h>

#include <optional>

namespace cairn {

/// A thread that this one has stopped in its call (ptrace(2)): it makes other calls in place of
/// its own, and goes on. All signals but SIGKILL and SIGSTOP wait meanwhile. All that is done to it
/// must be done by the thread that made this.
class TracedThread {
public:
  /// Takes hold of the thread. Nothing when it may not be traced, or has gone.
  static std::optional<TracedThread> seize(pid_t thread);
  TracedThread(TracedThread&& other) noexcept;
  TracedThread(const TracedThread&) = delete;
  TracedThread& operator=(const TracedThread&) = delete;
  TracedThread& operator=(TracedThread&&) = delete;
  ~TracedThread(); ///< Lets go of it, as it was if that is still possible.

  /// Waits until it has stopped on its way back from the call, whose answer makes it begin anew.
  /// False when it has gone.
  bool await_stop();

  /// Writes a text below the stack; its address, or nothing. To be used once.
  std::optional<std::uint64_t> write(const std::string& text) const;

  /// Makes a call; what it returned. Nothing when the thread has gone.
  std::optional<std::int64_t> make(const ReplayedCall::Step& step);

  /// The thread has become another program: nothing of the old one is put back.
  void forget_registers() noexcept { restores_ = false; }
  /// What its own call returns.
  void set_result(std::int64_t result) noexcept { result_ = result; }
  /// False once it has gone.
  bool exists() const noexcept { return thread_ > 0; }

private:
  explicit TracedThread(pid_t thread) : thread_(thread) {}

  enum class Stop { on_way_back, at_call };
  bool await(Stop stop, enum __ptrace_request go_on);
  bool go_on_to_call();
  void let_go();

  pid_t thread_;
  bool stopped_ = false;
  bool restores_ = true;
  bool stop_signal_ = false; ///< Somebody wants it to stop.
  user_regs_struct registers_{};
  std::uint64_t signals_ = 0; ///< Those that it blocks itself.
  std::int64_t result_ = 0;
};

} // namespace cairn
