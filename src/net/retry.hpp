#pragma once

#include "net/http.hpp"
#include "net/transient_status.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

using Milliseconds = std::chrono::milliseconds;

struct RetryPolicy {
  unsigned attempts = 4; ///< In all, at least one.
  Milliseconds first{1000};
  double factor = 3;
  Milliseconds cap{30'000};
  /// A server that asks for a longer pause is not waited for.
  Milliseconds patience{300'000};
};

/// The pause after `failures` (one or more) attempts: first * factor^(failures - 1) up to the cap,
/// of which `random` in [0, 1) takes away up to a quarter; never less than the server asked for.
/// Nothing when that is more than the policy's patience.
std::optional<Milliseconds> pause_after(const RetryPolicy& policy, unsigned failures, double random,
                                        std::optional<Milliseconds> asked);

/// A Retry-After header: seconds or an HTTP date (RFC 9110 10.2.3). Nothing when it is neither.
std::optional<Milliseconds> parse_retry_after(std::string_view text, Time now);

/// The loop. Thread-safe as far as its functions are.
class Retry {
public:
  using Pause = std::function<void(Milliseconds)>; ///< May throw Cancelled.
  using Random = std::function<double()>;          ///< In [0, 1).

  Retry(RetryPolicy policy, Pause pause, Random random, Clock clock, Progress& progress);

  /// Runs `attempt` until it returns. After a TemporaryError it pauses and tries again, as often
  /// as the policy says; then that error leaves, with the number of attempts in its detail.
  template<class Attempt>
  auto run(Attempt&& attempt) const -> decltype(attempt()) {
    for (unsigned failures = 1;; ++failures) {
      try {
        return attempt();
      } catch (TemporaryError& error) {
        if (!wait(failures, error))
          throw;
      }
    }
  }

  /// Pauses after a failure; false when it was the last attempt.
  bool wait(unsigned failures, TemporaryError& error) const;

private:
  RetryPolicy policy_;
  Pause pause_;
  Random random_;
  Clock clock_;
  Progress& progress_;
};

/// Sleeps, looking at the flags, which may be none, ten times a second. @throws Cancelled
Retry::Pause make_pause(const std::atomic<bool>* cancel, const std::atomic<bool>* other = nullptr);
/// Thread-safe, seeded by the system.
Retry::Random make_random();

/// Sends again what failed in passing, unless part of the body has reached the request's sink.
/// A transient status that stays becomes a TransientStatus; other answers are returned.
class RetryingHttp final : public Http {
public:
  RetryingHttp(Http& next, const Retry& retry) : next_(next), retry_(retry) {}
  Response send(const Request& request) override;

private:
  Http& next_;
  const Retry& retry_;
};

} // namespace cairn
