#include "builder/execute/stage_builder.hpp"
#include "engine.hpp"
#include "support/gate.hpp"
#include "util/cancelled.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace cairn;
using namespace cairn::test;
using Lines = std::vector<std::string>;

TEST_SUITE_BEGIN("engine/stages");

namespace {

const std::string two_stages = "FROM scratch AS left\nRUN left\nRUN left again\n"
                               "FROM scratch AS right\nRUN right\nRUN right again\n"
                               "FROM scratch\nCOPY --from=left / /l/\nCOPY --from=right / /r/\n";

} // namespace

TEST_CASE("stages that do not depend on each other are built at the same time, but for in place") {
  for (const auto mode : {IsolationMode::namespace_overlay, IsolationMode::namespace_directory,
                          IsolationMode::supervised}) {
    CAPTURE(isolation_mode_name(mode));
    Engine engine;
    engine.mode = mode;
    Meeting meeting;
    const auto come = [&] { CHECK(meeting.come()); };
    engine.commands["left"].meanwhile = come;
    engine.commands["right"].meanwhile = come;
    engine.build(two_stages);
    CHECK(engine.is_pushed());
  }
}

TEST_CASE_FIXTURE(Engine, "of what a builder stage made only what is copied from it is read") {
  commands["make"].makes = {{"large", "not wanted"}, {"small", "wanted"}};
  commands["make"].written = [&] { journal.add("open"); };
  build("FROM scratch AS builder\nRUN make\nFROM scratch\nCOPY --from=builder /small /\n");
  CHECK(journal.count("open") == 1);
  CHECK(image().layers.back() == Files{{"small", "wanted"}});
}

TEST_CASE_FIXTURE(Engine, "after a failure no new step begins in the other stages") {
  Meeting meeting;
  Gate told;
  commands.on_signal([&](int) { told.open(); });
  commands["left"].exit_status = 7;
  commands["left"].meanwhile = [&] { CHECK(meeting.come()); };
  commands["right"].meanwhile = [&] {
    CHECK(meeting.come());
    CHECK(told.pass());
  };
  CHECK(failure(two_stages).find("exit status 7") != std::string::npos);
  CHECK(journal.count("end right") == 1);
  CHECK(journal.count("run right again") == 0);
}

TEST_CASE_FIXTURE(Engine, "the first failure is the one that is told, with the command's status") {
  Meeting meeting;
  Gate told;
  commands.on_signal([&](int) { told.open(); });
  commands["left"].exit_status = 7;
  commands["left"].meanwhile = [&] { CHECK(meeting.come()); };
  commands["right"].exit_status = 143;
  commands["right"].meanwhile = [&] {
    CHECK(meeting.come());
    CHECK(told.pass());
  };
  try {
    build(two_stages);
    FAIL("it was built");
  } catch (const CommandFailed& error) {
    CHECK(error.exit_status() == 7);
    CHECK(std::string(error.what()).find("Dockerfile:2") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Engine, "no command begins when another stage fails while its base is unpacked") {
  base("base", {{{"f", "text"}}});
  Meeting meeting;
  Gate told;
  commands.on_signal([&](int) { told.open(); });
  commands["left"].exit_status = 7;
  commands["left"].meanwhile = [&] { CHECK(meeting.come()); };
  commands.on_apply([&] {
    CHECK(meeting.come());
    CHECK(told.pass());
  });
  CHECK(failure("FROM scratch AS left\nRUN left\n"
                "FROM r.example/base AS right\nRUN right\n"
                "FROM scratch\nCOPY --from=left / /l/\nCOPY --from=right / /r/\n")
            .find("exit status 7") != std::string::npos);
  CHECK(ran() == Lines{"left"});
}

TEST_CASE_FIXTURE(Engine, "a build that is told to stop while a base is unpacked runs no command") {
  base("base", {{{"f", "text"}}});
  commands.on_apply([&] { cancel = true; });
  CHECK_THROWS_AS(build("FROM r.example/base\nRUN one\n"), Cancelled);
  CHECK(ran().empty());
}

TEST_CASE_FIXTURE(Engine, "a build that fails tags nothing, whatever it has sent") {
  commands["fail"].exit_status = 1;
  CHECK(failure("FROM scratch\nRUN work\nRUN fail\nRUN never\n") != "");
  CHECK(ran() == Lines{"work", "fail"});
  CHECK(registry.count("PUT", "app/manifests") == 0);
}

TEST_CASE_FIXTURE(Engine, "a command that fails changes nothing that later builds begin with") {
  use_cache();
  commands["flaky"].exit_status = 1;
  CHECK(failure("FROM scratch\nRUN flaky\n") != "");
  commands["flaky"].exit_status = 0;
  build("FROM scratch\nRUN flaky\n");
  CHECK(ran() == Lines{"flaky", "flaky"});
}

TEST_CASE_FIXTURE(Engine, "a build that is told to stop begins no step, and is cancelled") {
  commands["one"].meanwhile = [&] { cancel = true; };
  CHECK_THROWS_AS(build("FROM scratch\nRUN one\nRUN two\n"), Cancelled);
  CHECK(ran() == Lines{"one"});
  CHECK_FALSE(is_pushed());
}

TEST_CASE_FIXTURE(Engine, "a build that is told to stop in its last step pushes nothing") {
  commands["last"].meanwhile = [&] { cancel = true; };
  CHECK_THROWS_AS(build("FROM scratch\nRUN last\n"), Cancelled);
  CHECK(registry.count("PUT", "app/manifests") == 0);
}

TEST_CASE_FIXTURE(Engine, "one stage that is told to stop stops all of them") {
  Meeting meeting;
  commands["left"].meanwhile = [&] {
    CHECK(meeting.come());
    cancel = true;
  };
  commands["right"].meanwhile = [&] {
    CHECK(meeting.come());
    while (!cancel)
      std::this_thread::yield();
  };
  CHECK_THROWS_AS(build(two_stages), Cancelled);
  CHECK(journal.count("run left again") + journal.count("run right again") == 0);
}

TEST_SUITE_END();
