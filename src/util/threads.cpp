#include "util/threads.hpp"

#include "util/error.hpp"

#include <algorithm>
#include <new>

namespace cairn {

void throw_no_thread(const std::system_error& why) {
  throw with_hint(
      SysError(why.code().value(), "start a thread"),
      "the limit on processes (pids.max of the pod, ulimit -u) or on memory is reached");
}

std::jthread start_thread(std::function<void()> body) {
  try {
    return std::jthread(std::move(body));
  } catch (const std::system_error& error) {
    throw_no_thread(error);
  }
}

std::vector<std::jthread> start_threads(std::size_t count, const std::function<void()>& body) {
  std::vector<std::jthread> threads;
  threads.reserve(count);
  try {
    while (threads.size() < count)
      threads.emplace_back(body);
  } catch (const std::system_error&) {
    // Those that there are do the work of all.
    return threads;
  } catch (const std::bad_alloc&) {
    return threads;
  }
  return threads;
}

std::size_t useful_threads() noexcept {
  constexpr std::size_t most = 8;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most);
}

} // namespace cairn
