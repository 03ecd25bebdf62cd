#include "builder/plan/known_arguments.hpp"
#include "language_plan.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/language arguments");

TEST_CASE("a global ARG is seen by FROM, and by a stage that declares it again") {
  CHECK(env_of(language_plan("ARG A=1\nFROM x\nENV B=${A-unset}"), "B") == "unset");
  CHECK(env_of(language_plan("ARG A=1\nFROM x\nARG A\nENV B=$A"), "B") == "1");
  CHECK(env_of(language_plan("ARG A=1\nFROM x\nARG A=2\nENV B=$A"), "B") == "2");
  CHECK(env_of(language_plan("ARG A=1 B=$A-2\nFROM x\nARG B\nENV C=$B"), "C") == "1-2");
}

TEST_CASE("an ARG without any value is unset, not empty") {
  CHECK(env_of(language_plan("ARG A\nFROM x\nARG A\nENV B=${A-unset}"), "B") == "unset");
  CHECK(env_of(language_plan("FROM x\nARG A=\nENV B=${A-unset}"), "B").empty());
  CHECK(history_of(language_plan("FROM x\nARG A B=1 C="), 0) == "ARG A B=1 C=");
}

TEST_CASE("--build-arg goes over the stage's default, and that over the global one") {
  const std::string text = "ARG A=global\nFROM x\nARG A=default\nENV B=$A";
  CHECK(env_of(language_plan(text), "B") == "default");
  CHECK(env_of(language_plan(text, {{"A", "given"}}), "B") == "given");
  CHECK(env_of(language_plan(text, {{"A", ""}}), "B").empty());
  CHECK(env_of(language_plan(text, {{"A", "$PATH"}}), "B") == "$PATH");
}

TEST_CASE("a default is not expanded when --build-arg gives the value") {
  for (const std::string text :
       {"FROM x\nARG A=${X:?missing}\nENV B=$A", "ARG A=${X:?missing}\nFROM $A"}) {
    CHECK(language_error(text).find("X: missing") != std::string::npos);
    CHECK(language_error(text, {{"A", "a"}}).empty());
  }
}

TEST_CASE("a --build-arg that no ARG declares is nothing") {
  const auto plan = language_plan("FROM x\nENV B=${A-unset}\nRUN y", {{"A", "1"}});
  CHECK(env_of(plan, "B") == "unset");
  CHECK_FALSE(run_of(plan, 1).environment.get("A").has_value());
}

TEST_CASE("names of arguments are not expanded") {
  const auto plan = language_plan("FROM x\nENV X=q\nARG $X=1\nARG \"A\"=1");
  CHECK(history_of(plan, 1) == "ARG $X=1");
  CHECK(history_of(plan, 2) == "ARG \"A\"=1");
}

TEST_CASE("each of several arguments sees the earlier ones") {
  CHECK(env_of(language_plan("FROM x\nARG A=1 B=$A-2 C=${B}-3\nENV D=$C"), "D") == "1-2-3");
}

TEST_CASE("a command sees the arguments above it, and its history names them") {
  const auto plan = language_plan("FROM x\nARG A=1\nARG B\nRUN y\nARG C=3\nRUN z");
  CHECK(history_of(plan, 2) == "RUN |2 A=1 B= /bin/sh -c y # buildkit");
  CHECK(history_of(plan, 4) == "RUN |3 A=1 B= C=3 /bin/sh -c z # buildkit");
  CHECK(run_of(plan, 2).environment.get("A") == "1");
  CHECK_FALSE(run_of(plan, 2).environment.get("B").has_value());
  CHECK_FALSE(run_of(plan, 2).environment.get("C").has_value());
}

TEST_CASE("a stage inherits the arguments of the stage it is built from, and no other does") {
  const std::string text = "FROM x AS a\nARG A=1\nFROM a AS b\nRUN y\nFROM x AS c\nRUN y";
  CHECK(history_of(language_plan(text, {}, "b"), 0) == "RUN |1 A=1 /bin/sh -c y # buildkit");
  CHECK(history_of(language_plan(text, {}, "c"), 0) == "RUN /bin/sh -c y # buildkit");
}

TEST_CASE("ENV goes over ARG where it follows, also in the arguments of the history") {
  const auto plan = language_plan("FROM x\nARG A=1\nENV A=2\nRUN y");
  CHECK(run_of(plan, 2).environment.get("A") == "2");
  CHECK(history_of(plan, 2) == "RUN |1 A=2 /bin/sh -c y # buildkit");
}

TEST_CASE("platform arguments stand for the build's platforms once they are declared") {
  const std::string all = "TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT TARGETOSVERSION "
                          "BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT BUILDOSVERSION";
  const auto plan = language_plan("FROM x\nENV U=${TARGETOS-unset}\nARG " + all + "\nENV A=" +
                                  "$TARGETPLATFORM,$TARGETOS,$TARGETARCH,${TARGETVARIANT-unset},"
                                  "$BUILDPLATFORM,$BUILDOS,$BUILDARCH,${BUILDOSVERSION-unset}");
  CHECK(env_of(plan, "U") == "unset");
  CHECK(env_of(plan, "A") == "linux/amd64,linux,amd64,,linux/amd64,linux,amd64,");
}

TEST_CASE("a user's value for a platform argument goes over the build's") {
  CHECK(env_of(language_plan("FROM x\nARG TARGETOS\nENV A=$TARGETOS", {{"TARGETOS", "mine"}}),
               "A") == "mine");
  CHECK(env_of(language_plan("ARG TARGETOS=mine\nFROM x\nARG TARGETOS\nENV A=$TARGETOS"), "A") ==
        "mine");
}

TEST_CASE("proxies reach commands in both spellings without ARG, and nothing else") {
  const auto plan = language_plan("FROM x\nENV A=${HTTP_PROXY-unset}\nRUN y",
                                  {{"HTTP_PROXY", "h"}, {"no_proxy", "n"}, {"Ftp_Proxy", "f"}});
  const auto environment = run_of(plan, 1).whole_environment();
  for (const auto& [name, value] : BuildArgs{{"HTTP_PROXY", "h"},
                                             {"http_proxy", "h"},
                                             {"NO_PROXY", "n"},
                                             {"no_proxy", "n"},
                                             {"FTP_PROXY", "f"},
                                             {"ftp_proxy", "f"}})
    CHECK(environment.get(name) == value);
  CHECK(env_of(plan, "A") == "unset");
  CHECK(env_of(plan, "HTTP_PROXY") == "unset");
  CHECK(history_of(plan, 1) == "RUN /bin/sh -c y # buildkit");
}

TEST_CASE("a proxy that ARG declares stands in the history like any argument") {
  const auto plan = language_plan("FROM x\nARG HTTP_PROXY\nRUN y", {{"HTTP_PROXY", "h"}});
  CHECK(history_of(plan, 1) == "RUN |1 HTTP_PROXY=h /bin/sh -c y # buildkit");
}

TEST_CASE("a proxy goes over ENV, http_proxy over HTTP_PROXY, and an empty one is none") {
  const auto plan =
      language_plan("FROM x\nENV https_proxy=mine all_proxy=mine\nRUN y",
                    {{"https_proxy", "low"}, {"HTTPS_PROXY", "up"}, {"ALL_PROXY", ""}});
  const auto environment = run_of(plan, 1).whole_environment();
  CHECK(environment.get("https_proxy") == "low");
  CHECK(environment.get("HTTPS_PROXY") == "low");
  CHECK(environment.get("all_proxy") == "mine");
  CHECK_FALSE(environment.get("ALL_PROXY").has_value());
}

TEST_CASE("arguments about scans are in the history, and never in the environment") {
  const auto plan = language_plan(
      "FROM x\nARG BUILDKIT_SBOM_SCAN_STAGE=true BUILDKIT_SBOM_SCAN_CONTEXT=1\nRUN y");
  CHECK_FALSE(run_of(plan, 1).environment.get("BUILDKIT_SBOM_SCAN_STAGE").has_value());
  CHECK(history_of(plan, 1) == "RUN |2 BUILDKIT_SBOM_SCAN_STAGE=true BUILDKIT_SBOM_SCAN_CONTEXT=1 "
                               "/bin/sh -c y # buildkit");
}

TEST_CASE("arguments that mean something without ARG are known") {
  for (const char* name : {"BUILDKIT_INLINE_CACHE", "BUILDKIT_MULTI_PLATFORM", "BUILDKIT_SYNTAX",
                           "BUILDKIT_SANDBOX_HOSTNAME", "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
                           "SOURCE_DATE_EPOCH", "http_proxy", "All_Proxy"})
    CHECK(is_known_argument(name));
  CHECK_FALSE(is_known_argument("PROXY"));
}

TEST_SUITE_END();
