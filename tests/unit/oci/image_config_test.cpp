#include "oci/image_config.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("oci/image_config");

TEST_CASE("a configuration survives reading and writing, unknown members too") {
  const std::string raw =
      R"({"architecture":"arm64","os":"linux","variant":"v8","created":"2026-01-02T03:04:05Z",)"
      R"("author":"me","config":{"User":"1:2","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],)"
      R"("Entrypoint":["/e"],"Cmd":["c"],"Volumes":{"/v":{}},"WorkingDir":"/w",)"
      R"("Labels":{"l":"m"},"StopSignal":"SIGINT","Shell":["/s"],"OnBuild":["RUN x"],)"
      R"("Healthcheck":{"Test":["CMD","x"],"Interval":5,"Retries":2},"ArgsEscaped":true,)"
      R"("Memory":3},"rootfs":{"type":"layers","diff_ids":["sha256:)" +
      std::string(64, 'c') +
      R"("]},"history":[{"created":"2026-01-02T03:04:05Z","created_by":"x","empty_layer":true}],)"
      R"("docker_version":"1"})";
  const auto config = ImageConfig::parse(raw);
  CHECK(config.config.user == "1:2");
  CHECK(config.config.healthcheck->retries == 2);
  CHECK(config.history.at(0).empty_layer);
  CHECK(config.other.string_or("docker_version", "") == "1");
  const auto again = ImageConfig::parse(config.serialise());
  CHECK(again.serialise() == config.serialise());
  CHECK(again.diff_ids == config.diff_ids);
  CHECK(again.config.env == config.config.env);
  CHECK(again.other_config.int_or("Memory", 0) == 3);
}

TEST_CASE("the environment keeps its order, and the last value counts") {
  Environment env({"A=1", "B=2"});
  env.set("A", "3");
  env.set("C", "");
  CHECK(env.entries() == std::vector<std::string>{"A=3", "B=2", "C="});
  CHECK(env.get("C") == "");
  CHECK_FALSE(env.get("D").has_value());
}

TEST_CASE("a configuration of the wrong shape is refused") {
  for (const char* raw : {"", "[]", R"({"config":[]})", R"({"config":{"Env":"A=1"}})",
                          R"({"rootfs":{"diff_ids":["x"]}})"}) {
    CAPTURE(raw);
    CHECK_THROWS_AS(ImageConfig::parse(raw), Error);
  }
}

TEST_SUITE_END();
