#include "net/http_date.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("a date of HTTP is a time") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == from_unix(784'111'777));
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == from_unix(0));
}

TEST_CASE("what is no date, or farther away than a clock can count, is no time") {
  for (const auto* text : {"", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 9999 08:49:37 GMT",
                           "Sun, 06 Nov 0001 08:49:37 GMT", "Sun, 06 Nov 1677 08:49:37 GMT",
                           "Sun, 06 Nov 2262 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}
