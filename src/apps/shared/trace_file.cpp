#include "apps/shared/trace_file.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <span>

namespace cairn {

namespace {

std::int64_t microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

void write(FdRef file, std::string_view text) {
  write_all(file, std::as_bytes(std::span(text.data(), text.size())));
}

} // namespace

TraceFile::TraceFile(const std::string& path, Progress& next)
    : next_(next), start_(std::chrono::steady_clock::now()),
      file_(open_at(current_directory(), path, O_WRONLY | O_CREAT | O_TRUNC, 0644)) {
  write(file_, "[");
}

TraceFile::~TraceFile() {
  try {
    write(file_, "\n]\n");
  } catch (const Error&) {
    // It can be read without.
  }
}

void TraceFile::worked(const Activity& activity) noexcept {
  try {
    auto event = Json::object();
    event.set("name", printable(activity.name))
        .set("cat", activity.category)
        .set("ph", "X")
        .set("ts", microseconds(activity.begin - start_))
        .set("dur", microseconds(activity.end - activity.begin))
        .set("pid", 1)
        .set("tid", std::int64_t{::gettid()});
    add(event.compact());
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(has_failed_, true))
      next_.warn("--trace-file: {}", error.what());
  }
  next_.worked(activity);
}

void TraceFile::add(const std::string& event) {
  const std::lock_guard lock(mutex_);
  if (has_failed_)
    return;
  write(file_, (std::exchange(is_first_, false) ? "\n" : ",\n") + event);
}

} // namespace cairn
