#include "language_plan.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/language expansion");

TEST_CASE("variables are expanded in what describes the image and in what files are called") {
  const auto plan = language_plan(
      "FROM x\nENV v=/w s=9 n=80\nENV $s=$v\nLABEL $s=${v}\nEXPOSE $n/udp $n-82\nVOLUME $v/vol\n"
      "USER $s:$s\nWORKDIR $v\nSTOPSIGNAL $s\nCOPY --chown=$s:$n --chmod=${q:-644} $s ${v}/\n"
      "ADD $s \"$v\"");
  const auto& config = image_of(plan).config;
  CHECK(config.env.get("9") == "/w");
  CHECK(config.labels.at("9") == "/w");
  CHECK(config.exposed_ports == std::set<std::string>{"80/tcp", "80/udp", "81/tcp", "82/tcp"});
  CHECK(config.volumes == std::set<std::string>{"/w/vol"});
  CHECK(config.user == "9:9");
  CHECK(config.working_dir == "/w");
  CHECK(config.stop_signal == "9");
  CHECK(history_of(plan, 8) == "COPY --chown=9:80 --chmod=644 9 /w/ # buildkit");
  CHECK(history_of(plan, 9) == "ADD 9 /w # buildkit");
}

TEST_CASE("commands, shells, triggers and maintainers are left as they are") {
  const auto plan = language_plan("FROM x\nENV v=1\nRUN echo $v '$v'\nCMD [\"$v\"]\nENTRYPOINT $v\n"
                                  "HEALTHCHECK CMD $v\nSHELL [\"$v\"]\nONBUILD RUN $v\n"
                                  "MAINTAINER $v");
  const auto& config = image_of(plan).config;
  CHECK(run_of(plan, 1).argv == std::vector<std::string>{"/bin/sh", "-c", "echo $v '$v'"});
  CHECK(config.cmd == std::vector<std::string>{"$v"});
  CHECK(config.entrypoint == std::vector<std::string>{"/bin/sh", "-c", "$v"});
  CHECK(config.healthcheck->test == std::vector<std::string>{"CMD-SHELL", "$v"});
  CHECK(config.shell == std::vector<std::string>{"$v"});
  CHECK(config.on_build == std::vector<std::string>{"RUN $v"});
  CHECK(image_of(plan).author == "$v");
}

TEST_CASE("patterns of --exclude are left as they are") {
  CHECK(copy_of(language_plan("FROM x\nENV v=1\nCOPY --exclude=$v a b"), 1).excludes ==
        std::vector<std::string>{"$v"});
}

TEST_CASE("options of a mount are expanded, with the values that the step sees") {
  const auto plan = language_plan("FROM x\nWORKDIR /w\nARG T=cache U=7\n"
                                  "RUN --mount=type=$T,target=a$U,uid=$U,id=${I:-i} y");
  const auto& mount = run_of(plan, 2).mounts.at(0);
  CHECK(mount.target == "/w/a7");
  CHECK(std::get<CachePlan>(mount.kind).id == "i");
  CHECK(std::get<CachePlan>(mount.kind).owner->uid == 7);
}

TEST_CASE("only EXPOSE splits a value into words") {
  const auto plan = language_plan("FROM x\nENV p='1 2/udp' f='a b'\nEXPOSE $p\nVOLUME $f\n"
                                  "COPY $f /d/");
  CHECK(image_of(plan).config.exposed_ports == std::set<std::string>{"1/tcp", "2/udp"});
  CHECK(image_of(plan).config.volumes == std::set<std::string>{"a b"});
  REQUIRE(copy_of(plan, 3).sources.size() == 1);
  CHECK(std::get<LocalSource>(copy_of(plan, 3).sources.front()).pattern == "a b");
}

TEST_CASE("the escape character of the file holds, but for heredocs") {
  const auto plan = language_plan("# escape=`\nFROM x\nENV v=1\nENV a=`$v b=\\$v\n"
                                  "COPY <<E /f\n\\$v `$v\nE\n");
  CHECK(env_of(plan, "a") == "$v");
  CHECK(env_of(plan, "b") == "\\1");
  CHECK(copy_of(plan, 2).files.at(0).content == "$v `1\n");
}

TEST_CASE("a heredoc keeps its quotes while its variables are expanded") {
  const auto plan =
      language_plan("FROM x\nENV v=1\nCOPY <<E <<'F' /d/\n'$v' \"${v}\" \\$v ${u:-d}\nE\n"
                    "'$v'\nF\n");
  CHECK(copy_of(plan, 1).files.at(0).content == "'1' \"1\" $v d\n");
  CHECK(copy_of(plan, 1).files.at(1).content == "'$v'\n");
}

TEST_CASE("an expansion that fails shows its line, and only in a stage that is built") {
  const std::string needs = "FROM x AS a\nENV A=${B:?say-which}\n";
  CHECK(language_error(needs) == "Dockerfile:2: B: say-which\n"
                                 "  1 | FROM x AS a\n> 2 | ENV A=${B:?say-which}");
  CHECK(language_error(needs + "FROM x\n").empty());
  CHECK(language_error("FROM x\nLABEL a=1 \\\n  b=${c\n") ==
        "Dockerfile:2: cannot expand '${c': '}' is missing\n"
        "  1 | FROM x\n> 2 | LABEL a=1 \\\n> 3 |   b=${c");
  CHECK(language_error("FROM ${A}x${B?no}\n").starts_with("Dockerfile:1: B: no\n> 1 | FROM"));
}

TEST_CASE("every value of an ENV sees the environment from before the instruction") {
  const auto plan = language_plan("FROM x\nENV a=1\nENV a=2 b=$a c=$b");
  CHECK(env_of(plan, "b") == "1");
  CHECK(env_of(plan, "c").empty());
}

TEST_SUITE_END();
