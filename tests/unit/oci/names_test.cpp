#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "util/error.hpp"
#include "util/json.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace cairn;

namespace {

/// The rows of a conformance table; empty when it is not on this machine.
std::vector<Json> table(const std::string& name) {
  const char* given = std::getenv("CAIRN_CONFORMANCE");
  const std::string folder = given != nullptr ? given : CAIRN_SOURCE_ROOT "/../shared/conformance";
  std::ifstream file(folder + "/tables/" + name);
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);)
    rows.push_back(Json::parse(line));
  if (rows.empty())
    MESSAGE("skip: the conformance table " << name << " is not here");
  return rows;
}

} // namespace

TEST_SUITE_BEGIN("oci/reference");

TEST_CASE("Docker Hub's defaults are filled in") {
  const auto ref = ImageRef::parse("busybox");
  CHECK(ref.registry() == "docker.io");
  CHECK(ref.endpoint() == "registry-1.docker.io");
  CHECK(ref.repository() == "library/busybox");
  CHECK(ref.identifier() == "latest");
  CHECK(ref.str() == "index.docker.io/library/busybox:latest");
}

TEST_CASE("a registry is told from a repository by a dot, a colon or localhost") {
  CHECK(ImageRef::parse("localhost:5000/a/b:1").registry() == "localhost:5000");
  CHECK(ImageRef::parse("localhost/a").registry() == "localhost");
  CHECK(ImageRef::parse("a.b/c").registry() == "a.b");
  CHECK(ImageRef::parse("[::1]:5000/c").registry() == "[::1]:5000");
  CHECK(ImageRef::parse("a/b").registry() == "docker.io");
}

TEST_CASE("a digest goes before a tag") {
  const auto hex = std::string(64, '0');
  const auto ref = ImageRef::parse("r.io/a:1@sha256:" + hex);
  CHECK(ref.tag() == "1");
  CHECK(ref.identifier() == "sha256:" + hex);
}

TEST_CASE("references are read as the conformance table says") {
  for (const auto& row : table("references.jsonl")) {
    const auto input = row.string_or("input", "");
    CAPTURE(input);
    // A name without a registry cannot be pulled from anywhere: it is an error here.
    if (row.find("error") != nullptr || row.string_or("domain", "").empty()) {
      CHECK_THROWS_AS(ImageRef::parse(input), Error);
      continue;
    }
    const auto ref = ImageRef::parse(input);
    CHECK(ref.registry() == row.string_or("domain", ""));
    CHECK(ref.repository() == row.string_or("path", ""));
    const auto* tag = row.find("tag");
    if (tag != nullptr)
      CHECK(ref.tag() == tag->as_string());
    const auto* digest = row.find("digest");
    if (digest != nullptr)
      CHECK(ref.digest()->str() == digest->as_string());
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("oci/platform");

TEST_CASE("platforms are normalised as the conformance table says") {
  for (const auto& row : table("platforms.jsonl")) {
    const auto input = row.string_or("input", "");
    CAPTURE(input);
    if (row.find("error") != nullptr) {
      CHECK_THROWS_AS(Platform::parse(input), Error);
      continue;
    }
    const auto platform = Platform::parse(input);
    CHECK(platform.os == row.string_or("os", ""));
    CHECK(platform.architecture == row.string_or("architecture", ""));
    CHECK(platform.variant == row.string_or("variant", ""));
    CHECK(platform.os_version == row.string_or("os_version", ""));
  }
}

TEST_CASE("names of systems are compared without case") {
  CHECK(Platform::parse("macOS/ARM64").str() == "darwin/arm64");
  CHECK(Platform::parse("Linux").os == "linux");
}

TEST_CASE("an arm machine takes images for older arm machines") {
  CHECK(Platform::parse("linux/arm/v7").accepts(Platform::parse("linux/arm/v6")));
  CHECK_FALSE(Platform::parse("linux/arm/v6").accepts(Platform::parse("linux/arm/v7")));
  CHECK_FALSE(Platform::parse("linux/amd64").accepts(Platform::parse("linux/arm64")));
}

TEST_SUITE_END();
