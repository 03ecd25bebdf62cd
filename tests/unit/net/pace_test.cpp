#include "net/pace.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

struct Watch {
  PaceLimits limits;
  Pace::Moment start = std::chrono::steady_clock::now();
  Pace pace{limits, start};

  std::optional<std::string> at(std::chrono::seconds time, std::uint64_t moved = 0) {
    return pace.check(start + time, moved);
  }
};

} // namespace

TEST_CASE_FIXTURE(Watch, "an answer is waited for a minute, and something is said meanwhile") {
  CHECK_FALSE(at(9s));
  CHECK(at(10s) == "no answer for 10 s");
  CHECK_FALSE(at(19s));
  CHECK(at(20s) == "no answer for 20 s");
  CHECK_NOTHROW(at(60s));
  CHECK_THROWS_WITH_AS(at(61s), "no answer for 60 seconds", TemporaryError);
}

TEST_CASE_FIXTURE(Watch, "the patience for an answer grows with what was sent") {
  pace.wait(start, 1024 * mebibyte);
  CHECK_NOTHROW(at(570s));
  CHECK_THROWS_WITH_AS(at(580s), "no answer for 572 seconds", TemporaryError);
  pace.wait(start, std::uint64_t{1} << 50);
  CHECK_NOTHROW(at(1860s));
  CHECK_THROWS_WITH_AS(at(1861s), "no answer for 1860 seconds", TemporaryError);
}

TEST_CASE_FIXTURE(Watch, "a connection on which nothing moves is given up") {
  pace.receive(start);
  CHECK(at(30s, 5 * mebibyte) == std::nullopt);
  CHECK(at(50s, 5 * mebibyte) == "0 bytes came in 20 s");
  CHECK_NOTHROW(at(90s, 5 * mebibyte));
  CHECK_THROWS_WITH_AS(at(91s, 5 * mebibyte), "nothing moved for 60 seconds", TemporaryError);
}

TEST_CASE_FIXTURE(Watch, "a byte now and then is not enough") {
  pace.send(start);
  for (int second = 1; second < 60; ++second)
    CHECK_NOTHROW(at(std::chrono::seconds(second), static_cast<std::uint64_t>(2 * second)));
  CHECK_THROWS_WITH_AS(at(60s, 120), "only 120 bytes moved in 60 seconds", TemporaryError);
}

TEST_CASE_FIXTURE(Watch, "what is slow but steady goes on, and is told") {
  pace.send(start);
  CHECK(at(10s, 10'000) == "10000 bytes were taken in 10 s");
  CHECK_FALSE(at(20s, 40'000));
  CHECK_NOTHROW(at(60s, 70'000));
  CHECK_NOTHROW(at(119s, 120'000));
  CHECK_NOTHROW(at(120s, 140'000));
}

TEST_CASE_FIXTURE(Watch, "the time that this program takes for itself does not count") {
  pace.receive(start);
  pace.exclude(10min);
  CHECK_FALSE(at(605s, 1));
  CHECK_THROWS_AS(at(661s, 2), TemporaryError);
}
