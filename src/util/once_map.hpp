#pragma once

#include "util/shared_result.hpp"

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
    const auto [result, is_first] = enter(name, promise);
    if (is_first) {
      try {
        promise.set_value(std::forward<Make>(make)());
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    }
    return result.get();
  }

  /// A value that was made; nothing when nobody asked for it or it is still being made. Does not
  /// wait. @throws what `make` threw
  std::optional<Value> find(const std::string& name) {
    SharedResult<Value> result;
    {
      const std::lock_guard lock(mutex_);
      const auto found = values_.find(name);
      if (found == values_.end() || !found->second.is_ready())
        return std::nullopt;
      result = found->second;
    }
    return result.get();
  }

private:
  std::pair<SharedResult<Value>, bool> enter(const std::string& name,
                                             std::promise<Value>& promise) {
    const std::lock_guard lock(mutex_);
    auto& known = values_[name];
    const bool is_first = !known.valid();
    if (is_first)
      known = SharedResult<Value>(promise.get_future());
    return {known, is_first};
  }

  std::mutex mutex_;
  std::map<std::string, SharedResult<Value>> values_;
};

} // namespace cairn
