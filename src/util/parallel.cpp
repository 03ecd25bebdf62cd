#include "util/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

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
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, limit); ++i)
      threads.emplace_back(worker);
    worker();
  }
  if (first)
    std::rethrow_exception(first);
}

} // namespace cairn
