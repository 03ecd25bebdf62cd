#pragma once

#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/progress.hpp"

#include <memory>
#include <string_view>

namespace cairn {

/// What is printed: that and everything worse. Nothing is logged as fatal or panic, so that those
/// two leave the final error alone.
enum class Verbosity { trace, debug, info, warn, error, fatal, panic };

enum class LogFormat {
  automatic, ///< color at a terminal, text elsewhere
  text,
  color,
  json
};

/// Whether lines of text and color start with the time of day or with the seconds since the start.
/// JSON always has the time of day.
enum class LogTime { elapsed, timestamp };

struct LogOptions {
  Verbosity verbosity = Verbosity::info;
  LogFormat format = LogFormat::automatic;
  LogTime time = LogTime::elapsed;
};

/// @throws Error listing the known words
Verbosity parse_verbosity(std::string_view word);
LogFormat parse_log_format(std::string_view word);

/// Prints one line per event to `out`, in one write each so that lines of different threads and
/// processes do not mix. Control characters become \xNN: a message cannot fake a line. What cannot
/// be written is dropped.
///
///   text   INFO[0003] message
///   color  the same with the level in colour
///   json   {"level":"info","msg":"message","time":"2026-01-02T03:04:05Z"}
///
/// A step is an info line with what it made and how long it took; in JSON the members "note" and
/// "seconds".
std::unique_ptr<Progress> make_log(const LogOptions& options, FdRef out, Clock clock = system_now);

} // namespace cairn
