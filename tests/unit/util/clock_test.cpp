#include "util/clock.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("util/clock");

TEST_CASE("times are written and read as RFC 3339 has them") {
  const auto time = from_unix(1767225845, 678000000);
  CHECK(rfc3339(time) == "2026-01-01T00:04:05.678Z");
  CHECK(parse_rfc3339("2026-01-01T00:04:05.678Z") == time);
  CHECK(parse_rfc3339("2026-01-01T01:04:05.678+01:00") == time);
  CHECK(rfc3339(Time{}) == "1970-01-01T00:00:00Z");
  CHECK(rfc3339(from_unix(-1)) == "1969-12-31T23:59:59Z");
  for (const char* bad :
       {"", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T25:00:00Z",
        "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-01-01T00:00:00Zjunk"})
    CHECK_FALSE(parse_rfc3339(bad).has_value());
}

TEST_CASE("durations are those of Go") {
  CHECK(parse_duration("336h") == 336h);
  CHECK(parse_duration("6h30m") == 390min);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("-2ms") == -2ms);
  CHECK(parse_duration("0") == 0ns);
  for (const char* bad : {"", "1", "s", "1x", "1.2.3s", "1h-2m", "99999999999h"})
    CHECK_FALSE(parse_duration(bad).has_value());
}

TEST_CASE("people read durations in seconds and minutes") {
  CHECK(human_duration(412ms) == "0.41s");
  CHECK(human_duration(12s) == "12.0s");
  CHECK(human_duration(185s) == "3m05s");
}

TEST_SUITE_END();
