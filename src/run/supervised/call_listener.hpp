#pragma once

#include "util/fd.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

namespace cairn {

/// How a filter's listener can be made here.
enum class StoppedWait {
  killable, ///< Signals reach a thread when its stopped call is over, as long as it is answered.
  interruptible ///< Before Linux 5.19: a signal lets a stopped call begin anew.
};

/// Puts the calling thread, and all that comes from it, under `filter` for good. Without
/// CAP_SYS_ADMIN no_new_privs must be set before. Async-signal-safe.
/// @return the listener's descriptor, close-on-exec, or the negative errno: EBUSY when a supervisor
/// is there already
int install_call_filter(std::span<const sock_filter> filter, StoppedWait wait) noexcept;

/// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV where the kernel knows it. Async-signal-safe.
StoppedWait best_stopped_wait() noexcept;

/// The supervisor's end of a filter: what its threads call is received here, and answered. When
/// the last descriptor of it is closed, stopped calls give ENOSYS. Thread-safe.
class CallListener {
public:
  explicit CallListener(Fd listener);

  /// Readable when there is a call to receive, hung up when no thread is left.
  FdRef descriptor() const noexcept { return listener_; }

  /// A thread and its supervisor take turns on one processor, which is much faster. One that may
  /// have called from another goes on where it was, which takes two calls more: if several were all
  /// woken here, they would share this one.
  enum class Caller { here, elsewhere };
  void expect(Caller caller) noexcept { caller_ = caller; }

  /// The next call, for which it waits. Nothing when its thread has gone meanwhile, a signal came,
  /// or no thread is left (Linux 6.11; older kernels go on waiting). @throws SysError
  std::optional<seccomp_notif> receive() const;

  /// Whether the call still waits for its answer: if it does, its thread's id means that thread.
  bool is_waiting(std::uint64_t id) const noexcept;

  /// What the call returns; `error` is a positive errno, or 0. Quiet when the thread has gone.
  void answer(std::uint64_t id, std::int64_t value, int error) const;
  /// The kernel carries out the call as if nobody had looked.
  void pass(std::uint64_t id) const;
  /// The call returns a new descriptor of the thread's for what `file` is. 0 or an errno.
  int answer_with_file(std::uint64_t id, FdRef file, bool close_on_exec) const;
  /// Gives the thread a descriptor, close-on-exec, while its call is stopped. Nothing when it
  /// could not be given.
  std::optional<int> give_file(std::uint64_t id, FdRef file) const;

private:
  void send(const seccomp_notif_resp& response) const;
  int add_file(std::uint64_t id, FdRef file, std::uint32_t flags,
               bool close_on_exec) const noexcept;
  template<class Answer>
  int wake(const Answer& answer) const noexcept;

  Fd listener_;
  std::atomic<Caller> caller_ = Caller::here;
};

} // namespace cairn
