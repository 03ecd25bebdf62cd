#include "util/crypto.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("util/crypto");

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("base64 goes there and back") {
  for (const char* text : {"", "a", "ab", "abc", "user:p\xc3\xa4ss"}) {
    CAPTURE(text);
    CHECK(base64_decode(base64_encode(text)) == text);
  }
  CHECK(base64_encode("user:pass") == "dXNlcjpwYXNz");
  CHECK(base64_decode("dXNlcjpwYXM") == "user:pas");
  CHECK_FALSE(base64_decode("a").has_value());
  CHECK_FALSE(base64_decode("!!!!").has_value());
}

TEST_CASE("random names differ") {
  CHECK(random_hex(8).size() == 16);
  CHECK(random_hex(8) != random_hex(8));
}

TEST_SUITE_END();
