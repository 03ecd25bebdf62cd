#include "net/retry.hpp"
#include "support/fake_http.hpp"
#include "util/cancelled.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;

namespace {

constexpr Time now = from_unix(784111777); // Sun, 06 Nov 1994 08:49:37 GMT

struct Fixture {
  RetryPolicy policy{.attempts = 3, .first = 1s, .factor = 3, .cap = 10s, .patience = 60s};
  std::vector<Milliseconds> pauses;
  SilentProgress progress;
  Retry retry{policy, [this](Milliseconds pause) { pauses.push_back(pause); }, [] { return 0.0; },
              [] { return now; }, progress};
};

Response busy() {
  return {503, {}, "busy"};
}

} // namespace

TEST_CASE("pauses grow up to a cap") {
  const RetryPolicy policy{.first = 1s, .factor = 3, .cap = 10s, .patience = 60s};
  CHECK(pause_after(policy, 1, 0, std::nullopt) == 1s);
  CHECK(pause_after(policy, 2, 0, std::nullopt) == 3s);
  CHECK(pause_after(policy, 3, 0, std::nullopt) == 9s);
  CHECK(pause_after(policy, 4, 0, std::nullopt) == 10s);
  CHECK(pause_after(policy, 4000, 0, std::nullopt) == 10s);
}

TEST_CASE("chance takes away up to a quarter") {
  const RetryPolicy policy{.first = 1s, .factor = 3, .cap = 10s, .patience = 60s};
  CHECK(pause_after(policy, 1, 0.5, std::nullopt) == 875ms);
  CHECK(*pause_after(policy, 1, 0.999, std::nullopt) >= 750ms);
}

TEST_CASE("what the server asks for is the least, and has a limit") {
  const RetryPolicy policy{.first = 1s, .factor = 3, .cap = 10s, .patience = 60s};
  CHECK(pause_after(policy, 1, 0.9, 5s) == 5s);
  CHECK(pause_after(policy, 1, 0, 20s) == 20s); // Above the cap of our own pauses.
  CHECK(pause_after(policy, 2, 0, 0s) == 3s);
  CHECK_FALSE(pause_after(policy, 1, 0, 61s));
}

TEST_CASE("Retry-After is seconds or a date") {
  struct Row {
    const char* text;
    std::optional<Milliseconds> pause;
    const char* because;
  };
  for (const auto& row : {
           Row{"7", 7s, "seconds"},
           Row{" 0 ", 0s, "at once"},
           Row{"Sun, 06 Nov 1994 08:49:47 GMT", 10s, "a date ahead"},
           Row{"Sun, 06 Nov 1994 08:00:00 GMT", 0s, "a date behind"},
           Row{"Sun, 06 Foo 1994 08:00:00 GMT", std::nullopt, "no month"},
           Row{"Sun, 31 Feb 1994 08:00:00 GMT", std::nullopt, "no such day"},
           Row{"Sun, 06 Nov 1994 24:00:00 GMT", std::nullopt, "no such hour"},
           Row{"-1", std::nullopt, "negative"},
           Row{"soon", std::nullopt, "a word"},
           Row{"", std::nullopt, "nothing"},
       }) {
    CAPTURE(row.because);
    CHECK(parse_retry_after(row.text, now) == row.pause);
  }
  CHECK(parse_retry_after("99999999999999999", now) == 366 * 86400s);
}

TEST_CASE("some statuses pass, most do not") {
  for (const int status : {408, 429, 500, 502, 503, 504})
    CHECK(is_transient(status));
  for (const int status : {200, 301, 400, 401, 403, 404, 405, 409, 416, 501, 505})
    CHECK_FALSE(is_transient(status));
}

TEST_CASE_FIXTURE(Fixture, "an attempt that works ends the loop") {
  int attempts = 0;
  CHECK(retry.run([&] {
    if (++attempts < 3)
      throw TemporaryError("reset");
    return 7;
  }) == 7);
  CHECK(pauses == std::vector<Milliseconds>{1s, 3s});
}

TEST_CASE_FIXTURE(Fixture, "the last failure leaves, with the number of attempts") {
  try {
    retry.run([]() -> int { throw TemporaryError("reset"); });
    FAIL("it returned");
  } catch (const TemporaryError& error) {
    CHECK(std::string(error.what()) == "reset");
    CHECK(error.detail() == "gave up after 3 attempts");
    CHECK(error.exit_status() == 75);
  }
  CHECK(pauses.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "an error that stays is thrown at once") {
  CHECK_THROWS_WITH(retry.run([]() -> int { throw Error("denied"); }), "denied");
  CHECK(pauses.empty());
}

TEST_CASE_FIXTURE(Fixture, "a status that passes is asked again, others are returned") {
  int asked = 0;
  FakeHttp http([&](const Request&) { return ++asked < 3 ? busy() : Response{404}; });
  CHECK(RetryingHttp(http, retry).send({.url = "https://a/"}).status == 404);
  CHECK(asked == 3);
}

TEST_CASE_FIXTURE(Fixture, "a status that stays becomes an error that says what the server said") {
  FakeHttp http([](const Request&) { return Response{429, {{"Retry-After", "4"}}, "slow down"}; });
  CHECK_THROWS_WITH_AS(RetryingHttp(http, retry).send({.url = "https://a/x?token=1"}),
                       "GET https://a/x?token=***: 429 Too Many Requests: slow down",
                       TransientStatus);
  CHECK(pauses == std::vector<Milliseconds>{4s, 4s});
}

TEST_CASE_FIXTURE(Fixture, "what has reached the sink is not sent there twice") {
  TextSink sink;
  FakeHttp http([&](const Request& request) -> Response {
    write_text(*request.sink, "half");
    throw TemporaryError("reset");
  });
  CHECK_THROWS_AS(RetryingHttp(http, retry).send({.url = "https://a/", .sink = &sink}),
                  TemporaryError);
  CHECK(sink.text() == "half");
  CHECK(pauses.empty());
}

TEST_CASE("a pause ends when the program is told to end") {
  std::atomic<bool> cancel = true;
  CHECK_THROWS_AS(make_pause(&cancel)(10s), Cancelled);
  CHECK_NOTHROW(make_pause(nullptr)(0s));
}
