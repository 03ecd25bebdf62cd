#include "oci/digest.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("oci/digest");

TEST_CASE("a digest keeps the text it was parsed from") {
  const auto text = "sha256:" + std::string(64, 'a');
  CHECK(Digest::parse(text).str() == text);
  CHECK(Digest::parse(text).hex() == std::string(64, 'a'));
}

TEST_CASE("a digest that could not name anything is refused") {
  for (const auto& text :
       {std::string(), std::string("sha256"), std::string("md5:aa"), std::string("sha256:beef"),
        "sha256:" + std::string(64, 'A'), "sha256:" + std::string(63, 'a') + "/",
        "sha512:" + std::string(64, 'a')}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Digest::parse(text), Error);
  }
}

TEST_SUITE_END();
