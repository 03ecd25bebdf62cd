#include "apps/shared/log.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/parallel.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

using namespace cairn;
using namespace std::chrono_literals;

namespace {

/// What a log wrote, packet by packet: a packet is one write.
class Listener {
public:
  Listener() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    in_ = Fd(ends[0]);
    out_ = Fd(ends[1]);
  }

  FdRef out() const { return out_; }

  std::string next() {
    std::array<char, 65536> buffer{};
    const auto count = ::recv(in_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
  }

private:
  Fd in_, out_;
};

/// The time of the test: it starts at 2026-01-02T03:04:05Z and passes when told so.
struct TestClock {
  Time now = *parse_rfc3339("2026-01-02T03:04:05Z");
  Clock reader() {
    return [this] { return now; };
  }
};

} // namespace

TEST_CASE("lines look like kaniko's") {
  struct Row {
    LogOptions options;
    Level level;
    std::string message, expected;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {{Verbosity::info, LogFormat::text, LogTime::elapsed},
       Level::info,
       "Pushed a@b",
       "INFO[0061] Pushed a@b\n",
       "text with the seconds since the start"},
      {{Verbosity::info, LogFormat::color, LogTime::elapsed},
       Level::warn,
       "odd",
       "\x1b[33mWARN\x1b[0m[0061] odd\n",
       "color"},
      {{Verbosity::info, LogFormat::automatic, LogTime::elapsed},
       Level::warn,
       "odd",
       "WARN[0061] odd\n",
       "no colour where there is no terminal"},
      {{Verbosity::info, LogFormat::text, LogTime::timestamp},
       Level::error,
       "bad",
       "ERRO[2026-01-02T03:05:06Z] bad\n",
       "with the time of day, in whole seconds"},
      {{Verbosity::trace, LogFormat::text, LogTime::elapsed},
       Level::trace,
       "x",
       "TRAC[0061] x\n",
       "the lowest level"},
      {{Verbosity::info, LogFormat::json, LogTime::elapsed},
       Level::warn,
       "a \"b\"\n",
       R"({"level":"warning","msg":"a \"b\"\n","time":"2026-01-02T03:05:06Z"})"
       "\n",
       "JSON with logrus' names"},
      {{Verbosity::info, LogFormat::text, LogTime::elapsed},
       Level::info,
       "a\nERRO[0001] \x1b[31m\x7f",
       "INFO[0061] a\\x0aERRO[0001] \\x1b[31m\\x7f\n",
       "a message cannot fake a line or paint the terminal"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    TestClock clock;
    Listener listener;
    const auto log = make_log(row.options, listener.out(), clock.reader());
    clock.now += 61s + 500ms;
    log->log(row.level, row.message);
    CHECK(listener.next() == row.expected);
    CHECK(listener.next().empty());
  }
}

TEST_CASE("a step tells what it made and how long it took") {
  TestClock clock;
  Listener listener;
  make_log({Verbosity::info, LogFormat::text, LogTime::elapsed}, listener.out(), clock.reader())
      ->step_done("RUN make", "layer 1.2 MB", 12s);
  CHECK(listener.next() == "INFO[0000] RUN make  [layer 1.2 MB, 12.0s]\n");
  make_log({Verbosity::info, LogFormat::text, LogTime::elapsed}, listener.out(), clock.reader())
      ->step_done("ENV A=b", "", 0s);
  CHECK(listener.next() == "INFO[0000] ENV A=b  [0.00s]\n");
  make_log({Verbosity::info, LogFormat::json, LogTime::elapsed}, listener.out(), clock.reader())
      ->step_done("RUN make", "layer", 1500ms);
  const auto line = Json::parse(listener.next());
  CHECK(line.string_or("msg", "") == "RUN make");
  CHECK(line.string_or("note", "") == "layer");
  CHECK(line.find("seconds")->as_double() == doctest::Approx(1.5));
}

TEST_CASE("only what is bad enough is printed") {
  struct Row {
    Verbosity verbosity;
    std::string printed;
  };
  const std::vector<Row> rows = {{Verbosity::trace, "TDIWE"}, {Verbosity::debug, "DIWE"},
                                 {Verbosity::info, "IWE"},    {Verbosity::warn, "WE"},
                                 {Verbosity::error, "E"},     {Verbosity::fatal, ""},
                                 {Verbosity::panic, ""}};
  for (const auto& row : rows) {
    Listener listener;
    const auto log = make_log({row.verbosity, LogFormat::text, LogTime::elapsed}, listener.out());
    for (const auto level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error})
      log->log(level, "x");
    std::string seen;
    for (std::string line = listener.next(); !line.empty(); line = listener.next())
      seen += line[0];
    CHECK(seen == row.printed);
  }
}

TEST_CASE("each line is one write, from however many threads") {
  Listener listener;
  const auto log = make_log({Verbosity::info, LogFormat::text, LogTime::elapsed}, listener.out());
  parallel_for(8, 8, [&](std::size_t i) { log->info("line {}", i); });
  for (int i = 0; i < 8; ++i) {
    const auto line = listener.next();
    CHECK(line.starts_with("INFO[0000] line "));
    CHECK(line.ends_with("\n"));
  }
}

TEST_CASE("a log that nobody reads does not end the build") {
  const auto log = make_log({}, FdRef(-1));
  log->info("into the void");
  log->step_done("RUN x", "", 1s);
}
