#include "net/retry.hpp"

#include "net/http_date.hpp"
#include "util/cancelled.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

namespace cairn {

namespace {

constexpr double jitter = 0.25;

/// Counts what comes through, so that a failure before the first byte can be told from one after.
class Watch final : public Sink {
public:
  explicit Watch(Sink& next) : next_(next) {}
  void write(std::span<const std::byte> bytes) override {
    touched_ = touched_ || !bytes.empty();
    next_.write(bytes);
  }
  bool touched() const noexcept { return touched_; }

private:
  Sink& next_;
  bool touched_ = false;
};

} // namespace

std::optional<Milliseconds> pause_after(const RetryPolicy& policy, unsigned failures, double random,
                                        std::optional<Milliseconds> asked) {
  const auto cap = static_cast<double>(policy.cap.count());
  const auto grown = static_cast<double>(policy.first.count()) *
                     std::pow(policy.factor, static_cast<double>(failures) - 1.0);
  const auto whole = std::min(grown, cap);
  auto pause = Milliseconds(std::llround(whole - whole * jitter * random));
  if (asked && *asked > policy.patience)
    return std::nullopt;
  return asked ? std::max(pause, *asked) : pause;
}

std::optional<Milliseconds> parse_retry_after(std::string_view text, Time now) {
  text = trim(text);
  constexpr std::uint64_t a_year = std::uint64_t{366} * 86'400;
  if (const auto seconds = parse_unsigned(text))
    return Milliseconds(static_cast<std::int64_t>(std::min(*seconds, a_year)) * 1000);
  const auto date = parse_http_date(text);
  if (!date)
    return std::nullopt;
  return *date <= now ? Milliseconds(0) : std::chrono::ceil<Milliseconds>(*date - now);
}

Retry::Retry(RetryPolicy policy, Pause pause, Random random, Clock clock, Progress& progress)
    : policy_(policy), pause_(std::move(pause)), random_(std::move(random)),
      clock_(std::move(clock)), progress_(progress) {}

bool Retry::wait(unsigned failures, TemporaryError& error) const {
  std::optional<Milliseconds> asked;
  if (const auto* answer = dynamic_cast<const TransientStatus*>(&error))
    asked = parse_retry_after(answer->retry_after(), clock_());
  const auto pause = pause_after(policy_, failures, random_(), asked);
  if (!pause) {
    error.add_detail(fmt::format("the server asks to wait for {} seconds, which is too long",
                                 asked->count() / 1000));
    return false;
  }
  if (failures >= policy_.attempts) {
    if (failures > 1)
      error.add_detail(fmt::format("gave up after {} attempts", failures));
    return false;
  }
  progress_.warn("{}; trying again in {:.1f} s", error.what(),
                 static_cast<double>(pause->count()) / 1000);
  pause_(*pause);
  return true;
}

Retry::Pause make_pause(const std::atomic<bool>* cancel, const std::atomic<bool>* other) {
  return [cancel, other](Milliseconds pause) {
    constexpr Milliseconds slice{100};
    const auto end = std::chrono::steady_clock::now() + pause;
    for (;;) {
      if ((cancel != nullptr && cancel->load()) || (other != nullptr && other->load()))
        throw Cancelled("interrupted while waiting to try again");
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= Milliseconds(0))
        return;
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, slice));
    }
  };
}

Retry::Random make_random() {
  struct Shared {
    std::mutex mutex;
    std::minstd_rand engine{std::random_device()()};
  };
  return [shared = std::make_shared<Shared>()] {
    const std::lock_guard lock(shared->mutex);
    return std::uniform_real_distribution<double>(0, 1)(shared->engine);
  };
}

Response RetryingHttp::send(const Request& request) {
  for (unsigned failures = 1;; ++failures) {
    auto attempt = request;
    std::optional<Watch> watch;
    if (request.sink != nullptr)
      attempt.sink = &watch.emplace(*request.sink);
    try {
      auto response = next_.send(attempt);
      if (is_transient(response.status))
        throw TransientStatus(request, response);
      return response;
    } catch (TemporaryError& error) {
      // What the sink has seen cannot be taken back.
      if ((watch && watch->touched()) || !retry_.wait(failures, error))
        throw;
    }
  }
}

} // namespace cairn
