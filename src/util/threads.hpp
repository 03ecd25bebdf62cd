#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace cairn {

/// Where threads begin: the number that a pod may have is limited, and so is the memory for their
/// stacks. What runs in a thread must not throw: every exception is caught and handed to somebody.

/// @throws SysError when there can be no further thread
std::jthread start_thread(std::function<void()> body);

/// Threads that share work with each other, each running `body`: as many as there can be, up to
/// `count`; perhaps none. Does not throw for want of threads.
std::vector<std::jthread> start_threads(std::size_t count, const std::function<void()>& body);

/// How many threads are worth having for work that is divided: as many as there are processors, up
/// to a few, and at least this one.
std::size_t useful_threads() noexcept;

/// What start_thread() throws.
[[noreturn]] void throw_no_thread(const std::system_error& why);

/// `body` in a thread of its own; what it throws comes out of the future, whose end waits for it.
/// @throws SysError when there can be no further thread; `body` is destroyed then
template<class Body>
std::future<std::invoke_result_t<Body>> start_async(Body body) {
  try {
    return std::async(std::launch::async, std::move(body));
  } catch (const std::system_error& error) {
    throw_no_thread(error);
  }
}

} // namespace cairn
