#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cairn {

/// How long a transfer may take over what.
struct PaceLimits {
  /// Without a byte, or without an answer to a request that asks for little work.
  std::chrono::seconds stall{60};
  /// Bytes per second that a body has to move at least, on the average of `window`.
  std::uint64_t least_rate = 1024;
  std::chrono::seconds window{60};
  /// Bytes per second that a server is believed to work through before it answers: registries hash
  /// a blob that they were sent, and move it to its place.
  std::uint64_t work_rate = std::uint64_t{2} << 20;
  std::chrono::seconds longest_work{1800};
  /// Between two messages about what is slow.
  std::chrono::seconds report{10};

  /// The same for a server that works while it answers: the average is one of ten windows.
  PaceLimits in_bursts() const {
    auto limits = *this;
    limits.window *= 10;
    return limits;
  }
  /// The same for one who does not wait long.
  PaceLimits with_patience(std::chrono::seconds patience) const {
    auto limits = *this;
    limits.stall = std::min(stall, patience);
    return limits;
  }
};

/// Watches the progress of one exchange. Time that this program takes for itself - a sink that
/// writes, a source that compresses - does not count. Moments come from outside. Not thread-safe.
class Pace {
public:
  using Moment = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  /// Begins with waiting for an answer.
  Pace(const PaceLimits& limits, Moment now);

  /// A body is on its way out.
  void send(Moment now) { enter(Phase::sending, now); }
  /// All is sent, and the server has `work` bytes to go through before it answers.
  void wait(Moment now, std::uint64_t work);
  /// The answer is coming in.
  void receive(Moment now);

  /// So much of the time was this program's.
  void exclude(Duration own) { excluded_ += own; }

  /// `moved` bytes have gone either way by now. What is worth telling, at times: "no answer for 10
  /// s". @throws TemporaryError without a place, when patience is over
  std::optional<std::string> check(Moment now, std::uint64_t moved);

private:
  enum class Phase { sending, waiting, receiving };

  void enter(Phase phase, Moment now);
  void require_answer(Duration waited) const;
  void require_progress(Moment now);
  std::string report(Moment now) const;

  PaceLimits limits_;
  Phase phase_ = Phase::waiting;
  std::uint64_t work_ = 0;
  Duration excluded_{};
  std::uint64_t moved_ = 0;
  Moment entered_;
  Moment last_move_;
  Moment window_start_;
  std::uint64_t window_moved_ = 0; ///< By the start of the window.
  Moment reported_;
  std::uint64_t reported_moved_ = 0;
};

} // namespace cairn
