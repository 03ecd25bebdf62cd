#include "util/text.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("util/text");

TEST_CASE("splitting keeps empty parts") {
  CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(split("a,", ',') == std::vector<std::string>{"a", ""});
}

TEST_CASE("cutting happens at the first separator") {
  CHECK(cut("a=b=c", '=')->second == "b=c");
  CHECK_FALSE(cut("abc", '=').has_value());
}

TEST_CASE("numbers are digits and nothing else") {
  CHECK(parse_unsigned("42") == 42);
  CHECK(parse_octal("0755") == 0755);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x10", "18446744073709551616"})
    CHECK_FALSE(parse_unsigned(bad).has_value());
  CHECK_FALSE(parse_octal("8").has_value());
}

TEST_CASE("a word that is nearly another one brings a suggestion") {
  const std::vector<std::string> known = {"RUN", "COPY", "ENTRYPOINT"};
  CHECK(did_you_mean("COPPY", known) == " (did you mean COPY?)");
  CHECK(did_you_mean("entrypont", known) == " (did you mean ENTRYPOINT?)");
  CHECK(did_you_mean("HEALTHCHECK", known).empty());
}

TEST_CASE("control characters cannot reach a terminal") {
  CHECK(printable("a\x1b[31m\n") == "a\\x1b[31m\\x0a");
}

TEST_CASE("sizes are told in powers of a thousand") {
  CHECK(human_size(999) == "999 B");
  CHECK(human_size(1500) == "1.5 kB");
  CHECK(human_size(63'000'000) == "63.0 MB");
}

TEST_CASE("sizes are numbers with units of powers of 1024") {
  struct Row {
    const char* text;
    std::optional<std::uint64_t> size;
  };
  for (const auto& row : {Row{"0", 0},
                          {"1500", 1500},
                          {" 64K ", 64 << 10},
                          {"64k", 64 << 10},
                          {"1Mi", 1 << 20},
                          {"1MB", 1 << 20},
                          {"2GiB", std::uint64_t{2} << 30},
                          {"1.5T", (std::uint64_t{3} << 40) / 2},
                          {"10B", 10},
                          {"", {}},
                          {"G", {}},
                          {"-1", {}},
                          {"1.", {}},
                          {".5G", {}},
                          {"1.2.3G", {}},
                          {"5X", {}},
                          {"5GX", {}},
                          {"5BB", {}},
                          {"1 G", {}},
                          {"99999999T", {}},
                          {"99999999999999999999", {}}}) {
    CAPTURE(row.text);
    CHECK(parse_size(row.text) == row.size);
  }
}

TEST_SUITE_END();
