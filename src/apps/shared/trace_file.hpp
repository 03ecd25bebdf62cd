#pragma once

#include "util/fd.hpp"
#include "util/progress.hpp"

#include <mutex>
#include <string>
#include <string_view>

namespace cairn {

/// Writes what ran when into a file that Chrome's and Perfetto's viewers show (Trace Event Format,
/// JSON Array Format): an event of type "X" for each activity, with its thread. All else goes on to
/// another Progress. The file can be read at any moment, as viewers do without the closing bracket,
/// so a build that is killed leaves what it has come to.
class TraceFile final : public Progress {
public:
  /// Creates the file or empties it. `next` must outlive it. @throws SysError
  TraceFile(const std::string& path, Progress& next);
  ~TraceFile() override;

  void log(Level level, std::string_view message) noexcept override { next_.log(level, message); }
  void step_done(std::string_view name, std::string_view note,
                 std::chrono::nanoseconds took) noexcept override {
    next_.step_done(name, note, took);
  }
  void worked(const Activity& activity) noexcept override;

private:
  void add(const std::string& event);

  Progress& next_;
  Activity::Moment start_;
  std::mutex mutex_;
  Fd file_;
  bool is_first_ = true;
  bool has_failed_ = false; ///< Told once.
};

} // namespace cairn
