#pragma once

#include "util/error.hpp"

#include <chrono>
#include <future>
#include <utility>

namespace cairn {

/// What one thread makes and several wait for: a shared future whose errors belong to whoever
/// asks. An exception object is one for all that are told of it, and each adds its context.
/// Thread-safe, as are copies. The one home of std::shared_future.
template<class Value>
class SharedResult {
public:
  SharedResult() = default; ///< Of nothing: only valid() may be called.
  SharedResult(std::future<Value> future) : future_(std::move(future)) {} // NOLINT: it is one

  bool valid() const noexcept { return future_.valid(); }
  bool is_ready() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  /// Waits. @throws what was thrown instead of a value: an Error as a copy of its own type
  const Value& get() const {
    try {
      return future_.get();
    } catch (const Error& error) {
      error.raise();
      throw; // never: but a compiler may not see it through a virtual function
    }
  }

private:
  std::shared_future<Value> future_;
};

} // namespace cairn
