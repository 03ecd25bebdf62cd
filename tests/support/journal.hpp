#pragma once

#include "util/progress.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::test {

/// What happened, in the order in which it did. Thread-safe.
class Journal {
public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  /// How many lines begin with `start`.
  std::size_t count(std::string_view start) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const auto& line) { return line.starts_with(start); }));
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Keeps what a build tells: "warn: MESSAGE", "step: NAME: NOTE".
class FakeProgress final : public Progress {
public:
  void log(Level level, std::string_view message) noexcept override {
    const char* const name = level == Level::warn    ? "warn: "
                             : level == Level::error ? "error: "
                             : level == Level::info  ? "info: "
                                                     : "debug: ";
    told_.add(name + std::string(message));
  }
  void step_done(std::string_view name, std::string_view note,
                 std::chrono::nanoseconds) noexcept override {
    told_.add("step: " + std::string(name) + ": " + std::string(note));
  }
  Journal& told() noexcept { return told_; }

private:
  Journal told_;
};

} // namespace cairn::test
