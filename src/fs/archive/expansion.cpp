#include "fs/archive/expansion.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

/// More than what logs, sources and zeros among other things come to; gzip reaches 1032.
constexpr std::uint64_t usual_factor = 100;

} // namespace

void ExpansionGauge::check(std::uint64_t size) const {
  if (!limit_.slack || size <= *limit_.slack)
    return;
  const auto read = read_.load();
  if ((size - *limit_.slack) / usual_factor <= read)
    return;
  throw with_hint(ExpansionExceeded(
                      "{} of an archive are unpacked to {}: more than {} and {} times itself",
                      human_size(read), human_size(size), human_size(*limit_.slack), usual_factor),
                  "--max-unpacked-size allows more");
}

} // namespace cairn
