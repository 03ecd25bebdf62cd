#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// A moment in UTC, to the nanosecond as file systems and tar know it.
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// The clock is passed in, so that builds can be repeated and tests do not wait.
using Clock = std::function<Time()>;

Time system_now();

constexpr Time from_unix(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return Time(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds));
}
/// Whole seconds since 1970, rounded down.
constexpr std::int64_t unix_seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
/// The part of a second above unix_seconds().
constexpr std::int64_t unix_nanoseconds(Time time) {
  return (time - std::chrono::floor<std::chrono::seconds>(time)).count();
}

/// "2026-01-02T03:04:05.678Z" (RFC 3339), no fraction when it is zero.
std::string rfc3339(Time time);
/// Any offset and precision of RFC 3339. Nothing when it is none, or outside 1678 to 2261.
std::optional<Time> parse_rfc3339(std::string_view text);

/// How long after `from` it is `to`; what nanoseconds cannot count is the most that they can.
std::chrono::nanoseconds elapsed(Time from, Time to);

/// A Go duration such as "1h30m", "300ms", "-1.5s", ".5h" or "0", by the rules of
/// time.ParseDuration. Nothing also for more than 64 bits of nanoseconds hold: 292 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "0.4s", "12.0s", "3m05s": how long something took, for people.
std::string human_duration(std::chrono::nanoseconds duration);

} // namespace cairn
