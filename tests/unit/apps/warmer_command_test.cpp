#include "apps/warmer/parse_command.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

WarmCommand parse_warmer(const std::vector<std::string>& words,
                         std::vector<std::string> environment = {}) {
  return std::get<WarmCommand>(parse_warmer(words, ProcessEnvironment(std::move(environment))));
}

std::string warmer_refusal(const std::vector<std::string>& words) {
  try {
    parse_warmer(words);
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

} // namespace

TEST_CASE("a command line of kaniko's warmer means the same") {
  const auto command =
      parse_warmer({"-i", "debian:12", "--image=busybox", "-d", "/w/Dockerfile", "-c/c", "-f",
                    "--cache-ttl", "6h", "--customPlatform=linux/arm64", "--build-arg", "A", "-v",
                    "debug", "--registry-map", "docker.io=mirror.example"},
                   {"A=1"});
  const auto& request = command.request;
  REQUIRE(request.images.size() == 2);
  CHECK(request.images[0].str() == "index.docker.io/library/debian:12");
  CHECK(request.dockerfiles == std::vector<std::string>{"/w/Dockerfile"});
  CHECK(request.directory == "/c");
  CHECK(request.refetch == Refetch::yes);
  CHECK(request.time_to_live == std::chrono::hours(6));
  CHECK(request.platforms == std::vector{Platform::parse("linux/arm64")});
  CHECK(request.build_args == std::vector<NameValue>{{"A", "1"}});
  CHECK(command.log.verbosity == Verbosity::debug);
  CHECK(command.registry.mirrors.candidates(request.images[0]).size() == 2);
  CHECK(command.failures == WarmFailures::fail);
  CHECK(command.warnings.empty());
}

TEST_CASE("mirrors come from both of kaniko's variables") {
  const auto command = parse_warmer({"-i=a"}, {"KANIKO_REGISTRY_MIRROR=one.example",
                                               "KANIKO_REGISTRY_MAP=docker.io=two.example"});
  CHECK(command.registry.mirrors.candidates(command.request.images[0]).size() == 3);
}

TEST_CASE("the directory is /cache, and words mean nothing, with a warning") {
  const auto command = parse_warmer({"--image=a", "--force", "true"});
  CHECK(command.request.directory == "/cache");
  CHECK(command.warnings.size() == 1);
}

TEST_CASE("what does not fit together is refused") {
  CHECK(warmer_refusal({}).find("give --image") != std::string::npos);
  CHECK(warmer_refusal({"--dockerfile="}).find("give --image") != std::string::npos);
  CHECK(warmer_refusal({"-i=a", "--cache-repo=r.example/c"}).find("--dockerfile") !=
        std::string::npos);
  CHECK(warmer_refusal({"-d=a", "--cache-repo=r.example/c"}).find("--context") !=
        std::string::npos);
  CHECK(warmer_refusal({"-d=a", "--context=s3://b"}).find("--context") != std::string::npos);
  CHECK(warmer_refusal({"-i=a", "--max-size=much"}).find("--max-size") != std::string::npos);
  CHECK(warmer_refusal({"-i=A"}).find("--image") != std::string::npos);
}

TEST_CASE("a list has an image a line, and comments") {
  const auto images =
      parse_image_list("# base\n a:1 # why\n\n\tb@sha256:"
                       "0000000000000000000000000000000000000000000000000000000000000000\r\n",
                       "list");
  REQUIRE(images.size() == 2);
  CHECK(images[0].str() == "index.docker.io/library/a:1");
  CHECK(images[1].digest());
  CHECK_THROWS_WITH_AS(parse_image_list("a\n\nb c\n", "list"), doctest::Contains("list:3"), Error);
}
