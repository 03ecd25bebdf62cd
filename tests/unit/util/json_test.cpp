#include "util/error.hpp"
#include "util/json.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("util/json");

TEST_CASE("what is read can be written again in the same order") {
  const std::string text = R"({"b":1,"a":[true,null,"x\"y",-2.5],"c":{}})";
  CHECK(Json::parse(text).compact() == text);
}

TEST_CASE("absent and null members are nothing, other types are errors") {
  const auto json = Json::parse(R"({"a":"x","n":null,"i":3})");
  CHECK(json.string_or("a", "") == "x");
  CHECK(json.string_or("n", "none") == "none");
  CHECK(json.find("missing") == nullptr);
  CHECK_THROWS_AS(json.string_or("i", ""), Error);
  CHECK_THROWS_AS(json.int_or("a", 0), Error);
}

TEST_CASE("of two members with one name the last counts") {
  CHECK(Json::parse(R"({"a":1,"a":2})").int_or("a", 0) == 2);
}

TEST_CASE("integers are exact up to 64 bits") {
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{4294967296},
                                    std::int64_t{5000000000}, std::int64_t{9223372036854775807}}) {
    const auto text = std::to_string(number);
    CHECK(Json::parse(text).as_int() == number);
    CHECK(Json::parse(text).compact() == text);
  }
  CHECK_THROWS_AS(Json::parse("9223372036854775808").as_int(), Error);
}

TEST_CASE("fractions survive reading and writing") {
  for (const char* text : {"0.1", "1.6111111111111114e41", "-2.5e-7"})
    CHECK(Json::parse(Json::parse(text).compact()) == Json::parse(text));
}

TEST_CASE("text that is not JSON is refused") {
  for (const char* bad : {"", "{", "{\"a\"}", "[1,]", "nul", "1 2", "\"\xff\"", "{'a':1}"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(Json::parse(bad), Error);
  }
}

TEST_CASE("nesting has a limit") {
  CHECK_NOTHROW(Json::parse(std::string(60, '[') + std::string(60, ']')));
  CHECK_THROWS_AS(Json::parse(std::string(100000, '[')), Error);
}

TEST_CASE("members are set in place and erased") {
  Json json;
  json.set("a", 1).set("b", 2).set("a", 3);
  CHECK(json.compact() == R"({"a":3,"b":2})");
  json.erase("a");
  CHECK(json.compact() == R"({"b":2})");
}

TEST_SUITE_END();
