#include "timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <vector>

namespace cairn::bench {

namespace {

constexpr double long_enough = 0.5;
constexpr std::size_t fewest_calls = 5;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double seconds_of(const std::function<void()>& once) {
  const auto start = processor_seconds();
  once();
  return processor_seconds() - start;
}

std::string shown(double seconds, Amount amount) {
  if (amount.of == Amount::Of::bytes)
    return fmt::format("{:.0f} MB/s", amount.count / seconds / 1e6);
  return fmt::format("{:.0f} ns", seconds / amount.count * 1e9);
}

} // namespace

void Bench::measure(std::string_view name, Amount amount, const std::function<void()>& once) const {
  if (name.find(only_) == std::string_view::npos)
    return;
  once(); // what is allocated or read for the first time
  std::vector<double> calls;
  double sum = 0;
  while (calls.size() < fewest_calls || sum < long_enough) {
    calls.push_back(seconds_of(once));
    sum += calls.back();
  }
  std::sort(calls.begin(), calls.end());
  fmt::print("{:<34} {:>12}   {} to {}\n", name, shown(calls[calls.size() / 2], amount),
             shown(calls.front(), amount), shown(calls.back(), amount));
  std::fflush(stdout);
}

} // namespace cairn::bench
