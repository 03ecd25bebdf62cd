#include "util/error.hpp"
#include "util/json.hpp"
#include "util/json_events.hpp"

#include <doctest/doctest.h>

#include <functional>
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

namespace {

/// Writes down what it is told.
class Notes final : public JsonEvents {
public:
  void begin_object() override { text_ += '{'; }
  void key(std::string_view name) override { text_ += std::string(name) + ':'; }
  void end_object() override { text_ += '}'; }
  void begin_array() override { text_ += '['; }
  void end_array() override { text_ += ']'; }
  void text(std::string_view value) override { text_ += '"' + std::string(value) + '"'; }
  void integer(std::int64_t value) override { text_ += std::to_string(value) + ' '; }
  void other() override { text_ += "? "; }

  const std::string& written() const noexcept { return text_; }

private:
  std::string text_;
};

std::string events_of(const std::string& text, JsonLimits limits = {}) {
  TextSource source(text);
  Notes notes;
  read_json(source, notes, limits);
  return notes.written();
}

/// Gives one text after the other as often as it is told to.
class RepeatedSource final : public Source {
public:
  RepeatedSource(std::string text, std::size_t times) : text_(std::move(text)), left_(times) {}
  std::size_t read(std::span<std::byte> buffer) override {
    if (left_ == 0)
      return 0;
    --left_;
    return TextSource(text_).read(buffer);
  }

private:
  std::string text_;
  std::size_t left_;
};

} // namespace

TEST_CASE("a document can be told of while it is read") {
  CHECK(events_of(R"( {"a":[1,-2,2.5,null,true],"b\u0041":{"c":"x\"y"}} )") ==
        R"({a:[1 -2 ? ? ? ]bA:{c:"x"y"}})");
  CHECK(events_of("9223372036854775807") == "9223372036854775807 ");
  CHECK(events_of("9223372036854775808") == "? ");
}

TEST_CASE("what is told of is as strict as what is kept") {
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string(R"({"a"})"), std::string("[1,]"),
        std::string("1 2"), std::string("\"\xff\""), std::string("1\0", 2), std::string("1\0 2", 4),
        std::string("\"a\0b\"", 5), std::string(100000, '[')}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(events_of(bad), Error);
  }
}

TEST_CASE("no text, number or blank takes more memory than a token may have") {
  for (const std::string& part :
       {std::string(1000, 'x'), std::string(1000, '7'), std::string(1000, ' ')}) {
    for (const char* start : {"\"", "", "[1,"}) {
      RepeatedSource source(start + part, 1U << 20);
      Notes notes;
      CHECK_THROWS_AS(read_json(source, notes), Error);
    }
  }
}

TEST_CASE("nesting that is told of has a limit") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK_NOTHROW(events_of(nested(64)));
  CHECK_THROWS_AS(events_of(nested(65)), Error);
}

TEST_SUITE_END();
