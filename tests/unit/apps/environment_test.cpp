#include "apps/shared/environment.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("a variable is found by its whole name") {
  const ProcessEnvironment environment({"A=1", "AB=2", "EMPTY=", "A=3", "EQUALS=a=b", "odd"});
  CHECK(environment.find("A") == "1");
  CHECK(environment.find("AB") == "2");
  CHECK(environment.find("EMPTY") == "");
  CHECK(environment.find("EQUALS") == "a=b");
  CHECK_FALSE(environment.find("odd").has_value());
  CHECK(environment.text("NONE").empty());
}

TEST_CASE("of two spellings the first that is not empty counts") {
  const ProcessEnvironment environment({"HTTPS_PROXY=", "https_proxy=low", "NO_PROXY=up"});
  CHECK(environment.either("HTTPS_PROXY", "https_proxy") == "low");
  CHECK(environment.either("NO_PROXY", "no_proxy") == "up");
  CHECK(environment.either("HTTP_PROXY", "http_proxy").empty());
}
