#pragma once

#include "run/supervised/call.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace cairn {

class TracedThread;

/// Has threads make other calls than their own, one after the other, in a thread of its own: only
/// the thread that holds another one can let it go on. Thread-safe.
class CallReplays {
public:
  /// @throws SysError
  explicit CallReplays(const CallListener& listener);
  CallReplays(const CallReplays&) = delete;
  CallReplays& operator=(const CallReplays&) = delete;
  /// The threads that are held must be able to go on: what they call must be answered, or their
  /// listener closed.
  ~CallReplays();

  /// The call is answered when its turn comes. @throws SysError
  void add(const Call& call, ReplayedCall replay);

  /// Whether the thread's calls are those of a replay: they pass. @throws what ended the replays
  bool concerns(pid_t thread) const;

  /// The listener is about to be closed.
  void abandon() noexcept;

private:
  struct Replay {
    pid_t thread;
    std::uint64_t id;
    ReplayedCall what;
  };

  void work();
  void perform(Replay& replay);
  static void make_steps(TracedThread& thread, ReplayedCall& replay);
  static void undo(TracedThread& thread, const ReplayedCall& replay);
  bool begin_anew(const Replay& replay);
  void give_up(const Replay& replay);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  const CallListener* listener_; ///< Null when abandoned.
  std::deque<Replay> waiting_;
  pid_t held_ = 0; ///< The thread that makes other calls; 0 for none.
  bool ends_ = false;
  std::exception_ptr error_; ///< What ended the worker.
  std::jthread worker_;
};

} // namespace cairn
