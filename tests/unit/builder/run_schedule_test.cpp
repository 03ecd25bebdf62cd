#include "builder/execute/run_schedule.hpp"
#include "language_plan.hpp"
#include "support/gate.hpp"
#include "support/journal.hpp"
#include "support/no_threads.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/run_schedule");

namespace {

/// 0 and 1 stand alone, 2 begins with 0, 3 needs 1 and 2.
const std::string four_stages = "FROM scratch AS a\nRUN a\nFROM scratch AS b\nRUN b\n"
                                "FROM a AS c\nRUN c\n"
                                "FROM c\nCOPY --from=b / /\n";
/// 6 needs all others, which stand alone.
const std::string seven_stages =
    "FROM scratch AS a\nRUN a\nFROM scratch AS b\nRUN b\nFROM scratch AS c\nRUN c\n"
    "FROM scratch AS d\nRUN d\nFROM scratch AS e\nRUN e\nFROM scratch AS f\nRUN f\n"
    "FROM scratch\nCOPY --from=a / /\nCOPY --from=b / /\nCOPY --from=c / /\n"
    "COPY --from=d / /\nCOPY --from=e / /\nCOPY --from=f / /\n";

/// Stages that do what a test says, and a journal: "begin N", "end N", "interrupt".
struct StagesToRun {
  explicit StagesToRun(const std::string& text) : schedule(whole_schedule(language_plan(text))) {}

  void run(std::size_t limit) {
    run_schedule(schedule, limit,
                 {[this](std::size_t stage) {
                    journal.add("begin " + std::to_string(stage));
                    on_build(stage);
                    journal.add("end " + std::to_string(stage));
                  },
                  [this] {
                    journal.add("interrupt");
                    interrupted.open();
                  }});
  }
  std::size_t position(const std::string& line) const {
    const auto lines = journal.lines();
    const auto found = std::find(lines.begin(), lines.end(), line);
    REQUIRE(found != lines.end());
    return static_cast<std::size_t>(found - lines.begin());
  }

  Schedule schedule;
  std::function<void(std::size_t stage)> on_build = [](std::size_t) {};
  Journal journal;
  Gate interrupted;
};

} // namespace

TEST_CASE("one at a time, stages are built in the order in which they are written") {
  StagesToRun stages(four_stages);
  stages.run(1);
  CHECK(stages.journal.lines() == std::vector<std::string>{"begin 0", "end 0", "begin 1", "end 1",
                                                           "begin 2", "end 2", "begin 3", "end 3"});
}

TEST_CASE("a stage begins when all that it needs have ended, and each is built once") {
  for (const std::size_t limit : {2U, 3U, 16U}) {
    CAPTURE(limit);
    StagesToRun stages(four_stages);
    stages.run(limit);
    CHECK(stages.journal.lines().size() == 8);
    CHECK(stages.position("end 0") < stages.position("begin 2"));
    CHECK(stages.position("end 1") < stages.position("begin 3"));
    CHECK(stages.position("end 2") < stages.position("begin 3"));
  }
}

TEST_CASE("a stage does not wait for those that it does not need") {
  StagesToRun stages(four_stages);
  Gate gate;
  stages.on_build = [&](std::size_t stage) {
    if (stage == 1)
      CHECK(gate.pass());
    if (stage == 2)
      gate.open();
  };
  stages.run(2);
  CHECK(stages.position("end 2") < stages.journal.lines().size());
}

TEST_CASE("as many stages are built at the same time as there may be, and no more") {
  StagesToRun stages(seven_stages);
  Meeting meeting;
  std::atomic<int> active = 0;
  std::atomic<int> most = 0;
  stages.on_build = [&](std::size_t stage) {
    most = std::max(most.load(), ++active);
    if (stage != 6)
      CHECK(meeting.come());
    for (int i = 0; i < 100; ++i)
      std::this_thread::yield();
    --active;
  };
  stages.run(2);
  CHECK(most == 2);
}

TEST_CASE("where no thread can be had all stages are built in this one") {
  StagesToRun stages(four_stages);
  const auto own = std::this_thread::get_id();
  stages.on_build = [&](std::size_t) { CHECK(std::this_thread::get_id() == own); };
  {
    const NoThreads none;
    stages.run(2);
  }
  CHECK(stages.journal.count("end ") == 4);
}

TEST_CASE("stages that are not needed are not built") {
  StagesToRun stages(four_stages);
  stages.schedule.stages[1].needed = false;
  stages.schedule.stages[3].needed = false;
  stages.run(2);
  CHECK(stages.journal.lines() == std::vector<std::string>{"begin 0", "end 0", "begin 2", "end 2"});
  for (auto& stage : stages.schedule.stages)
    stage.needed = false;
  stages.journal.clear();
  stages.run(2);
  CHECK(stages.journal.lines().empty());
}

TEST_CASE("after a failure no stage begins, and the failure is what is thrown") {
  StagesToRun stages(four_stages);
  stages.on_build = [](std::size_t stage) {
    if (stage == 1)
      throw TemporaryError("it is away");
  };
  CHECK_THROWS_WITH_AS(stages.run(1), "it is away", TemporaryError);
  CHECK(stages.journal.lines() ==
        std::vector<std::string>{"begin 0", "end 0", "begin 1", "interrupt"});
}

TEST_CASE("stages that are under way are interrupted once and waited for, none begins after them") {
  StagesToRun stages(seven_stages);
  Meeting meeting;
  stages.on_build = [&](std::size_t stage) {
    CHECK(meeting.come());
    if (stage == 0)
      throw Error("the first");
    CHECK(stages.interrupted.pass());
  };
  CHECK_THROWS_WITH_AS(stages.run(2), "the first", Error);
  CHECK(stages.journal.count("begin ") == 2);
  CHECK(stages.journal.lines().back() == "end 1");
}

TEST_CASE("of several failures the first is told, for the others may be due to it") {
  StagesToRun stages(seven_stages);
  Meeting meeting;
  stages.on_build = [&](std::size_t stage) {
    CHECK(meeting.come());
    if (stage == 0)
      throw Error("the first");
    CHECK(stages.interrupted.pass());
    throw Cancelled("the build was told to stop");
  };
  CHECK_THROWS_WITH_AS(stages.run(2), "the first", Error);
  CHECK(stages.journal.count("interrupt") == 1);
  CHECK(stages.journal.count("begin ") == 2);
}

TEST_CASE("whoever waits for a stage that fails does not wait any longer") {
  StagesToRun stages("FROM scratch AS a\nRUN a\nFROM a AS b\nRUN b\nFROM b\nRUN c\n");
  stages.on_build = [](std::size_t) { throw Error("it failed"); };
  CHECK_THROWS_WITH_AS(stages.run(3), "it failed", Error);
  CHECK(stages.journal.lines() == std::vector<std::string>{"begin 0", "interrupt"});
}

TEST_CASE("a build that is told to stop ends as one, not as one that failed") {
  StagesToRun stages(four_stages);
  stages.on_build = [](std::size_t) { throw Cancelled("the build was told to stop"); };
  CHECK_THROWS_AS(stages.run(2), Cancelled);
}

TEST_SUITE_END();
