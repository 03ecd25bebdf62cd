#include "builder/plan/stage_config.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("builder/stage_config");

namespace {

/// Applies the instructions of a text without FROM; the history entry of the last one.
std::string apply(StageConfig& state, const std::string& text, const ArgumentValues& values = {}) {
  const auto dockerfile = parse_dockerfile("FROM scratch\n" + text, "Dockerfile");
  std::string history;
  for (const auto& instruction : dockerfile.stages.at(0).instructions)
    history = apply_config(state, instruction, values, '\\');
  return history;
}

} // namespace

TEST_CASE("every value of an ENV sees the environment from before it") {
  StageConfig state;
  CHECK(apply(state, "ENV A=1\nENV A=2 B=$A") == "ENV A=2 B=1");
}

TEST_CASE("of ARG and ENV the later one counts in commands, ENV alone in the image") {
  StageConfig state;
  apply(state, "ENV G=env\nARG G=again");
  CHECK(state.variables.get("G") == "again");
  CHECK(state.image.config.env.get("G") == "env");
}

TEST_CASE("an ARG takes --build-arg before its default, and its default before the global one") {
  ArgumentValues values{{{"A", "flag"}}, {{"A", "global"}, {"B", "global"}, {"C", "global"}}};
  StageConfig state;
  apply(state, "ARG A=default\nARG B=default\nARG C\nARG D", values);
  CHECK(state.variables.get("A") == "flag");
  CHECK(state.variables.get("B") == "default");
  CHECK(state.variables.get("C") == "global");
  CHECK_FALSE(state.variables.get("D").has_value());
}

TEST_CASE("ENTRYPOINT drops an inherited CMD but not the stage's own") {
  StageConfig state;
  state.image.config.cmd = {"sh"};
  apply(state, "ENTRYPOINT [\"/e\"]");
  CHECK_FALSE(state.image.config.cmd.has_value());
  apply(state, "CMD [\"x\"]\nENTRYPOINT /f");
  CHECK(state.image.config.cmd == std::vector<std::string>{"x"});
  CHECK(state.image.config.entrypoint == std::vector<std::string>{"/bin/sh", "-c", "/f"});
}

TEST_CASE("history is written as BuildKit writes it") {
  struct Row {
    const char* instruction;
    const char* history;
  };
  for (const auto& row :
       {Row{"EXPOSE 8080 80/UDP", "EXPOSE [80/udp 8080/tcp]"},
        Row{"EXPOSE 9-11 100 20", "EXPOSE [100/tcp 20/tcp 9/tcp 10/tcp 11/tcp]"},
        Row{"VOLUME /a /b", "VOLUME [/a /b]"},
        Row{"CMD echo \"x y\"", R"(CMD ["/bin/sh" "-c" "echo \"x y\""])"},
        Row{"SHELL [\"/bin/bash\",\"-c\"]", "SHELL [/bin/bash -c]"},
        Row{"HEALTHCHECK --interval=90s --retries=3 CMD x",
            "HEALTHCHECK {Test:[CMD-SHELL x] Interval:1m30s Timeout:0s StartPeriod:0s "
            "StartInterval:0s Retries:3}"},
        Row{"LABEL a=b \"c d\"=e", "LABEL a=b c d=e"},
        Row{"STOPSIGNAL SIGUSR1", "STOPSIGNAL SIGUSR1"}, Row{"MAINTAINER me", "MAINTAINER me"},
        Row{"ONBUILD RUN x", ""}}) {
    CAPTURE(row.instruction);
    StageConfig state;
    CHECK(apply(state, row.instruction) == row.history);
  }
}

TEST_CASE("a RUN's history names the arguments it can see, with their last values") {
  StageConfig state;
  apply(state, "ARG B=1\nARG A=2\nENV B=3");
  CHECK(run_history(state, {"/bin/sh", "-c", "x"}) == "|2 B=3 A=2 /bin/sh -c x");
}

TEST_CASE("what an instruction cannot mean is an error") {
  for (const char* bad : {"EXPOSE x", "STOPSIGNAL SIGNOPE", "EXPOSE 70000"}) {
    CAPTURE(bad);
    StageConfig state;
    CHECK_THROWS_AS(apply(state, bad), Error);
  }
}

TEST_SUITE_END();
