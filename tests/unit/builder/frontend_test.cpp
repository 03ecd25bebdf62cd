#include "builder/plan/frontend.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("builder/frontend");

namespace {

/// "debug: ..." or "warn: ...", the last one that was said.
std::string said(std::string_view text, const std::vector<NameValue>& build_args = {}) {
  class Listener final : public Progress {
  public:
    void log(Level level, std::string_view message) noexcept override {
      text = (level == Level::warn ? "warn: " : "debug: ") + std::string(message);
    }
    void step_done(std::string_view, std::string_view, std::chrono::nanoseconds) noexcept override {
    }
    std::string text;
  } listener;
  report_frontend(text, "Dockerfile", build_args, listener);
  return listener.text;
}

} // namespace

TEST_CASE("Docker's frontend for Dockerfiles is worth a line of the log at most") {
  for (const std::string image :
       {"docker/dockerfile:1", "docker/dockerfile:1.7-labs", "docker.io/docker/dockerfile",
        "dockerfile.v0", "mirror.example:5000/docker/dockerfile:1@sha256:00",
        "docker/dockerfile-upstream:master"})
    CHECK(said("# syntax=" + image + "\nFROM x") ==
          "debug: Dockerfile:1: the frontend " + image + " is built in, as of 1.26");
}

TEST_CASE("any other frontend is warned about") {
  CHECK(
      said("# escape=`\n# syntax=tonistiigi/dockerfile:x\nFROM x") ==
      "warn: Dockerfile:2: the frontend tonistiigi/dockerfile:x is not run: Dockerfile is read as "
      "a Dockerfile");
  CHECK(said("{\"syntax\": \"a/docker/dockerfiles\"}") ==
        "warn: Dockerfile: the frontend a/docker/dockerfiles is not run: Dockerfile is read as a "
        "Dockerfile");
}

TEST_CASE("BUILDKIT_SYNTAX goes over the file's own choice") {
  CHECK(said("# syntax=docker/dockerfile:1\nFROM x", {{"BUILDKIT_SYNTAX", "a/b"}}) ==
        "warn: --build-arg BUILDKIT_SYNTAX: the frontend a/b is not run: Dockerfile is read as a "
        "Dockerfile");
  CHECK(said("# syntax=a/b\nFROM x", {{"BUILDKIT_SYNTAX", "docker/dockerfile:1"}})
            .starts_with("debug: --build-arg BUILDKIT_SYNTAX: "));
}

TEST_CASE("a file that asks for no frontend gives no message") {
  CHECK(said("FROM x\n").empty());
  CHECK(said("FROM x\n", {{"BUILDKIT_SYNTAX", ""}}).empty());
}

TEST_SUITE_END();
