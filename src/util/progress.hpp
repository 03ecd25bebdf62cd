#pragma once

#include <fmt/core.h>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

enum class Level { trace, debug, info, warn, error };

/// Work of one thread that took time.
struct Activity {
  using Moment = std::chrono::steady_clock::time_point;

  std::string_view category; ///< "step", "run", "read", "write", "send"
  std::string_view name;
  Moment begin;
  Moment end;
};

/// What happens during a build, told to whoever prints it. Libraries report here and never print.
/// Thread-safe; does not throw.
class Progress {
public:
  virtual ~Progress() = default;

  virtual void log(Level level, std::string_view message) noexcept = 0;
  /// A step of the build has ended. `name` is the instruction as the user wrote it; `note` says
  /// what it was, e.g. "layer 1.2 MB".
  virtual void step_done(std::string_view name, std::string_view note,
                         std::chrono::nanoseconds took) noexcept = 0;

  /// Told by the thread that has worked, for a trace of what ran when.
  virtual void worked(const Activity&) noexcept {}

  template<class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) noexcept {
    tell(Level::debug, format, std::forward<Args>(args)...);
  }
  template<class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) noexcept {
    tell(Level::info, format, std::forward<Args>(args)...);
  }
  template<class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) noexcept {
    tell(Level::warn, format, std::forward<Args>(args)...);
  }

private:
  template<class... Args>
  void tell(Level level, fmt::format_string<Args...> format, Args&&... args) noexcept {
    try {
      log(level, fmt::format(format, std::forward<Args>(args)...));
    } catch (const std::exception&) {
      log(level, "a message for which there was no memory");
    }
  }
};

/// Tells of an activity that lasts as long as this.
class Timed {
public:
  /// `category` must outlive it.
  Timed(Progress& progress, std::string_view category, std::string name)
      : progress_(progress), category_(category), name_(std::move(name)) {}
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  ~Timed() { progress_.worked({category_, name_, begin_, std::chrono::steady_clock::now()}); }

private:
  Progress& progress_;
  std::string_view category_;
  std::string name_;
  Activity::Moment begin_ = std::chrono::steady_clock::now();
};

/// Says nothing.
class SilentProgress final : public Progress {
public:
  void log(Level, std::string_view) noexcept override {}
  void step_done(std::string_view, std::string_view, std::chrono::nanoseconds) noexcept override {}
};

} // namespace cairn
