#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cairn::bench {

/// What a second is divided by: how much of what one call does.
struct Amount {
  enum class Of { bytes, items } of = Of::items;
  double count = 1;
};

inline Amount bytes(std::size_t count) {
  return {Amount::Of::bytes, static_cast<double>(count)};
}
inline Amount items(std::size_t count) {
  return {Amount::Of::items, static_cast<double>(count)};
}

/// Measures the parts whose names hold a text, and prints a line for each: the median of several
/// calls, and the best and the worst of them. What counts is the time of a processor, which others
/// on the machine disturb less than the time by the clock.
class Bench {
public:
  explicit Bench(std::string only) : only_(std::move(only)) {}

  /// Calls `once` again and again, for half a second and at least five times.
  void measure(std::string_view name, Amount amount, const std::function<void()>& once) const;

private:
  std::string only_;
};

} // namespace cairn::bench
