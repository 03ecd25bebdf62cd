#include "apps/shared/trace_file.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/json.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("apps/trace_file");

namespace {

/// Keeps the last message.
class Heard final : public Progress {
public:
  void log(Level, std::string_view message) noexcept override { last = message; }
  void step_done(std::string_view, std::string_view, std::chrono::nanoseconds) noexcept override {}

  std::string last;
};

Json::Array events_in(const std::string& path) {
  return Json::parse(read_file(current_directory(), path, 10'000)).as_array();
}

} // namespace

TEST_CASE("a trace has an event for each activity, and all else goes on to the log") {
  const TempDir directory("/tmp");
  const auto path = directory.path() + "/trace.json";
  Heard log;
  {
    TraceFile trace(path, log);
    const auto begin = std::chrono::steady_clock::now();
    trace.worked({"step", "RUN \"make\"", begin, begin + 1500us});
    trace.worked({"write", "layer", begin, begin});
    trace.info("hello");
  }
  const auto events = events_in(path);
  REQUIRE(events.size() == 2);
  CHECK(events[0].string_or("name", "") == "RUN \"make\"");
  CHECK(events[0].string_or("cat", "") == "step");
  CHECK(events[0].string_or("ph", "") == "X");
  CHECK(events[0].int_or("dur", 0) == 1500);
  CHECK(events[0].int_or("ts", -1) >= 0);
  CHECK(events[0].int_or("tid", 0) > 0);
  CHECK(log.last == "hello");
}

TEST_CASE("a trace without activities is an empty list") {
  const TempDir directory("/tmp");
  const auto path = directory.path() + "/trace.json";
  Heard log;
  { const TraceFile trace(path, log); }
  CHECK(events_in(path).empty());
}

TEST_CASE("a trace that cannot be begun is an error") {
  Heard log;
  CHECK_THROWS_AS(TraceFile("/dev/full", log), SysError);
  CHECK_THROWS_AS(TraceFile("/nowhere/trace.json", log), SysError);
}

TEST_SUITE_END();
