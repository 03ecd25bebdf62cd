#pragma once

#include "run/process/child_process.hpp"
#include "run/supervised/call_filter.hpp"
#include "run/supervised/call_supervision.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Why nothing can be supervised here; nothing when it can.
std::optional<std::string> cannot_supervise();

/// Answers by a function, and counts.
class Answering final : public CallHandler {
public:
  explicit Answering(std::function<CallAnswer(const Call&)> answer) : answer_(std::move(answer)) {}
  CallAnswer answer(const Call& call) override {
    ++count;
    return answer_(call);
  }
  std::atomic<int> count = 0;

private:
  std::function<CallAnswer(const Call&)> answer_;
};

/// A process whose `calls` are stopped and answered by `handler` while it does `body`.
class SupervisedChild {
public:
  /// `before` is done by it while nobody supervises it yet.
  SupervisedChild(
      const std::vector<TrappedCall>& calls, CallHandler& handler, const std::function<int()>& body,
      const std::function<void()>& before = [] {});

  /// What `body` returned, or 128 + N when signal N ended it. All that came from it is gone
  /// then. @throws what the supervision throws
  int finish();
  /// Stops answering.
  void stop() { supervision_.reset(); }
  std::atomic<bool> failed = false; ///< Its supervision has told of a failure.

private:
  RunningCommands running_;
  std::optional<ChildProcess> process_;
  std::optional<CallSupervision> supervision_;
};

/// SupervisedChild from its beginning to its end.
int supervise_child(
    const std::vector<TrappedCall>& calls, CallHandler& handler, const std::function<int()>& body,
    const std::function<void()>& before = [] {});

/// Interrupts the calling process again and again.
void begin_storm(int microseconds);

// doctest has no way to skip from within a test.
#define SKIP_UNLESS_SUPERVISED()                                                                   \
  if (const auto why = cannot_supervise()) {                                                       \
    MESSAGE("skipped: " << *why);                                                                  \
    return;                                                                                        \
  }

} // namespace cairn
