#pragma once

#include "util/shared_error.hpp"

#include <chrono>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cairn {

/// Values that are made once for each name, by whoever asks first; others wait. Thread-safe.
template<class Value>
class OnceMap {
public:
  /// @throws what `make` threw: an Error as a copy for each who asks
  template<class Make>
  Value get(const std::string& name, Make&& make) {
    std::promise<Value> promise;
    const auto [future, is_first] = enter(name, promise);
    if (is_first) {
      try {
        promise.set_value(std::forward<Make>(make)());
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    }
    return value_of(future);
  }

  /// A value that was made; nothing when nobody asked for it or it is still being made. Does not
  /// wait. @throws what `make` threw
  std::optional<Value> find(const std::string& name) {
    std::shared_future<Value> future;
    {
      const std::lock_guard lock(mutex_);
      const auto found = values_.find(name);
      if (found == values_.end() ||
          found->second.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        return std::nullopt;
      future = found->second;
    }
    return value_of(future);
  }

private:
  std::pair<std::shared_future<Value>, bool> enter(const std::string& name,
                                                   std::promise<Value>& promise) {
    const std::lock_guard lock(mutex_);
    auto& known = values_[name];
    const bool is_first = !known.valid();
    if (is_first)
      known = promise.get_future().share();
    return {known, is_first};
  }

  static Value value_of(const std::shared_future<Value>& future) {
    try {
      return future.get();
    } catch (const Error& error) {
      throw_copy(error);
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_future<Value>> values_;
};

} // namespace cairn
