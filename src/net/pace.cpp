#include "net/pace.hpp"

#include "util/error.hpp"

#include <algorithm>

namespace cairn {

namespace {

std::int64_t seconds(Pace::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

} // namespace

Pace::Pace(const PaceLimits& limits, Moment now)
    : limits_(limits), entered_(now), last_move_(now), window_start_(now), reported_(now) {}

void Pace::wait(Moment now, std::uint64_t work) {
  work_ = work;
  enter(Phase::waiting, now);
}

void Pace::receive(Moment now) {
  if (phase_ != Phase::receiving)
    enter(Phase::receiving, now);
}

void Pace::enter(Phase phase, Moment now) {
  phase_ = phase;
  entered_ = last_move_ = window_start_ = reported_ = now - excluded_;
  window_moved_ = reported_moved_ = moved_;
}

std::optional<std::string> Pace::check(Moment now, std::uint64_t moved) {
  now -= excluded_;
  if (moved != moved_)
    last_move_ = now;
  moved_ = moved;
  if (phase_ == Phase::waiting)
    require_answer(now - entered_);
  else
    require_progress(now);
  if (now - reported_ < limits_.report)
    return std::nullopt;
  const auto wanted = limits_.least_rate * static_cast<std::uint64_t>(seconds(now - reported_));
  const bool is_slow = phase_ == Phase::waiting || moved_ - reported_moved_ < wanted;
  auto text = is_slow ? std::optional(report(now)) : std::nullopt;
  reported_ = now;
  reported_moved_ = moved_;
  return text;
}

void Pace::require_answer(Duration waited) const {
  const auto work = std::chrono::seconds(work_ / std::max<std::uint64_t>(limits_.work_rate, 1));
  const auto patience = limits_.stall + std::min(work, limits_.longest_work);
  if (waited > patience)
    throw TemporaryError("no answer for {} seconds", patience.count());
}

void Pace::require_progress(Moment now) {
  if (now - last_move_ > limits_.stall)
    throw TemporaryError("nothing moved for {} seconds", limits_.stall.count());
  if (now - window_start_ < limits_.window)
    return;
  const auto least = limits_.least_rate * static_cast<std::uint64_t>(limits_.window.count());
  if (moved_ - window_moved_ < least)
    throw TemporaryError("only {} bytes moved in {} seconds", moved_ - window_moved_,
                         limits_.window.count());
  window_start_ = now;
  window_moved_ = moved_;
}

std::string Pace::report(Moment now) const {
  if (phase_ == Phase::waiting)
    return fmt::format("no answer for {} s", seconds(now - entered_));
  return fmt::format("{} bytes {} in {} s", moved_ - reported_moved_,
                     phase_ == Phase::sending ? "were taken" : "came", seconds(now - reported_));
}

} // namespace cairn
