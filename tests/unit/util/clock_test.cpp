#include "util/clock.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

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
  CHECK(parse_duration("1.5h") == 90min);
  CHECK(parse_duration(".5s") == 500ms);
  CHECK(parse_duration("5.s") == 5s);
  CHECK(parse_duration("+3h") == 3h);
  CHECK(parse_duration("7\xc2\xb5s") == 7us);
  CHECK(parse_duration("7\xce\xbcs7us") == 14us);
  CHECK(parse_duration("1h1m1s1ms1us1ns") == 3661001001001ns);
  for (const char* bad : {"", "1", "s", "1x", "1.2.3s", "1h-2m", "99999999999h", ".s", ".", "-",
                          "+-1s", "1e3s", "NaNs", "infh", " 1s", "1 s", "1s ", "0x1s", "1d"})
    CHECK_FALSE(parse_duration(bad).has_value());
}

TEST_CASE("a duration that nanoseconds cannot count is none, and never another one") {
  CHECK(parse_duration("2500000h") == nanoseconds(std::int64_t{2500000} * 3600 * 1000000000));
  CHECK(parse_duration("9223372036854775807ns") == nanoseconds::max());
  CHECK(parse_duration("-9223372036854775808ns") == nanoseconds::min());
  CHECK(parse_duration("0.9223372036854775807h") == 3320413933267ns);
  for (const char* bad : {"9223372036854775808ns", "-9223372036854775809ns", "2562048h",
                          "9223372036s1s", "99999999999999999999h", "18446744073709551617ns",
                          "9223372036854775807ns1ns", "9223372036.999999999s"})
    CHECK_FALSE(parse_duration(bad).has_value());
}

TEST_CASE("how long ago something was is never less than it seems") {
  CHECK(elapsed(from_unix(100), from_unix(160)) == 60s);
  CHECK(elapsed(from_unix(160), from_unix(100)) == -60s);
  CHECK(elapsed(*parse_rfc3339("1678-01-01T00:00:00Z"), *parse_rfc3339("2026-01-01T00:00:00Z")) ==
        nanoseconds::max());
  CHECK(elapsed(*parse_rfc3339("2261-01-01T00:00:00Z"), *parse_rfc3339("1700-01-01T00:00:00Z")) ==
        nanoseconds::min());
}

TEST_CASE("people read durations in seconds and minutes") {
  CHECK(human_duration(412ms) == "0.41s");
  CHECK(human_duration(12s) == "12.0s");
  CHECK(human_duration(185s) == "3m05s");
}

TEST_SUITE_END();
