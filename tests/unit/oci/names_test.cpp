#include "check.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

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
  test::check_part(test::oci_parts(), "tables/references.jsonl");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("oci/platform");

TEST_CASE("platforms are normalised as the conformance table says") {
  test::check_part(test::oci_parts(), "tables/platforms.jsonl");
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
