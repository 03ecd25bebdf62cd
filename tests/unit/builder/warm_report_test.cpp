#include "builder/warm/warm_report.hpp"
#include "util/json.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

WarmedImage image(const std::string& name, std::uint64_t fetched, std::uint64_t reused) {
  WarmedImage made{name, Platform::parse("linux/amd64"), Digest::of(name), {}};
  made.fetched = fetched;
  made.reused = reused;
  return made;
}

} // namespace

TEST_CASE("a report has sums, and what failed with its kind") {
  WarmReport report;
  report.images = {image("a", 10, 1), image("b", 0, 5)};
  report.images[1].failure = WarmFailure(TemporaryError("away"));
  report.dockerfiles.push_back({"Dockerfile", Platform::parse("linux/arm64")});
  const auto json = Json::parse(report.json());
  CHECK(json.int_or("fetchedBytes", 0) == 10);
  CHECK(json.int_or("reusedBytes", 0) == 6);
  CHECK(json.int_or("failures", 0) == 1);
  const auto& images = json.find("images")->as_array();
  CHECK(images[0].string_or("platform", "") == "linux/amd64");
  CHECK(images[0].find("error") == nullptr);
  CHECK(images[1].string_or("error", "") == "away");
  CHECK(images[1].bool_or("temporary", false));
}

TEST_CASE("the exit status is that of what another try cannot mend") {
  WarmReport report;
  CHECK(report.exit_status() == 0);
  report.images = {image("a", 0, 0), image("b", 0, 0)};
  report.images[0].failure = WarmFailure(TemporaryError("away"));
  CHECK(report.exit_status() == 75);
  report.images[1].failure = WarmFailure(Error("not there"));
  CHECK(report.exit_status() == 1);
}
