#include "apps/shared/log.hpp"

#include "net/redact.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <unistd.h>

#include <array>
#include <mutex>
#include <span>
#include <string>

namespace cairn {

namespace {

struct LevelName {
  std::string_view word;  ///< In JSON.
  std::string_view label; ///< In text, four letters.
  int color;              ///< Of ECMA-48, SGR.
};

const LevelName& name_of(Level level) {
  static constexpr std::array names = {
      LevelName{"trace", "TRAC", 37}, LevelName{"debug", "DEBU", 37}, LevelName{"info", "INFO", 36},
      LevelName{"warning", "WARN", 33}, LevelName{"error", "ERRO", 31}};
  return names.at(static_cast<std::size_t>(level));
}

double in_seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

class Log final : public Progress {
public:
  Log(const LogOptions& options, FdRef out, Clock clock)
      : options_(options), out_(out), clock_(std::move(clock)), start_(clock_()) {
    if (options_.format == LogFormat::automatic)
      options_.format = ::isatty(out.get()) == 1 ? LogFormat::color : LogFormat::text;
  }

  void log(Level level, std::string_view message) noexcept override {
    print(level, [&] {
      const auto shown = redact_text(message);
      return options_.format == LogFormat::json ? json_line(level, shown, Json::object())
                                                : text_line(level, printable(shown));
    });
  }

  void step_done(std::string_view name, std::string_view note,
                 std::chrono::nanoseconds took) noexcept override {
    print(Level::info, [&] {
      const auto shown = redact_text(name);
      if (options_.format == LogFormat::json) {
        auto extra = Json::object();
        extra.set("note", note).set("seconds", in_seconds(took));
        return json_line(Level::info, shown, extra);
      }
      const auto what = note.empty() ? std::string() : printable(note) + ", ";
      return text_line(Level::info,
                       fmt::format("{}  [{}{}]", printable(shown), what, human_duration(took)));
    });
  }

private:
  template<class MakeLine>
  void print(Level level, const MakeLine& make_line) noexcept {
    if (static_cast<int>(level) < static_cast<int>(options_.verbosity))
      return;
    try {
      const auto line = make_line() + '\n';
      const std::scoped_lock lock(mutex_);
      write_all(out_, std::as_bytes(std::span(line)));
    } catch (const std::exception&) {
      // A closed stderr or a lack of memory must not end the build: there is nobody to tell.
      return;
    }
  }

  std::string text_line(Level level, const std::string& message) const {
    const auto& name = name_of(level);
    const auto now = clock_();
    const auto time = options_.time == LogTime::timestamp
                          ? rfc3339(std::chrono::floor<std::chrono::seconds>(now))
                          : fmt::format("{:04}", unix_seconds(Time(now - start_)));
    if (options_.format == LogFormat::color)
      return fmt::format("\x1b[{}m{}\x1b[0m[{}] {}", name.color, name.label, time, message);
    return fmt::format("{}[{}] {}", name.label, time, message);
  }

  std::string json_line(Level level, std::string_view message, const Json& extra) const {
    auto line = Json::object();
    line.set("level", name_of(level).word).set("msg", message);
    for (const auto& [key, value] : extra.as_object())
      line.set(key, value);
    line.set("time", rfc3339(std::chrono::floor<std::chrono::seconds>(clock_())));
    return line.compact();
  }

  LogOptions options_;
  FdRef out_;
  Clock clock_;
  Time start_;
  std::mutex mutex_;
};

} // namespace

Verbosity parse_verbosity(std::string_view word) {
  static constexpr std::array words = {"trace", "debug", "info", "warn", "error", "fatal", "panic"};
  const auto wanted = equals_ignoring_case(word, "warning") ? "warn" : to_lower(word);
  for (std::size_t i = 0; i < words.size(); ++i)
    if (wanted == words.at(i))
      return static_cast<Verbosity>(i);
  throw Error("'{}' is none of trace, debug, info, warn, error, fatal, panic", word);
}

LogFormat parse_log_format(std::string_view word) {
  if (word == "auto")
    return LogFormat::automatic;
  if (word == "text")
    return LogFormat::text;
  if (word == "color")
    return LogFormat::color;
  if (word == "json")
    return LogFormat::json;
  throw Error("'{}' is none of auto, text, color, json", word);
}

std::unique_ptr<Progress> make_log(const LogOptions& options, FdRef out, Clock clock) {
  return std::make_unique<Log>(options, out, std::move(clock));
}

} // namespace cairn
