#pragma once

#include <cstddef>
#include <functional>

namespace cairn {

/// Runs `work(0)` to `work(count - 1)` on at most `limit` threads, this one among them, and waits
/// for all that were started. After the first exception nothing new starts, and it is rethrown
/// here.
void parallel_for(std::size_t count, std::size_t limit,
                  const std::function<void(std::size_t)>& work);

} // namespace cairn
