#include "util/parallel.hpp"

#include "util/threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace cairn {

void parallel_for(std::size_t count, std::size_t limit,
                  const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::exception_ptr first;
  const auto worker = [&] {
    while (!stop) {
      const auto item = next.fetch_add(1);
      if (item >= count)
        return;
      try {
        work(item);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first)
          first = std::current_exception();
        stop = true;
      }
    }
  };
  {
    // This thread is one of them, so that the work is done whatever else there can be.
    const auto others = start_threads(std::max<std::size_t>(std::min(count, limit), 1) - 1, worker);
    worker();
  }
  if (first)
    std::rethrow_exception(first);
}

} // namespace cairn
