#include "util/once_map.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace cairn;

TEST_CASE("a value is made once, whoever asks for it at the same time") {
  OnceMap<int> values;
  std::atomic<int> made = 0;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        if (values.get("a", [&] { return ++made; }) != 1)
          ++wrong;
      });
  }
  CHECK(made == 1);
  CHECK(wrong == 0);
  CHECK(values.get("b", [&] { return ++made; }) == 2);
}

TEST_CASE("a value that is being made is not found, and not waited for") {
  OnceMap<int> values;
  CHECK(!values.find("a"));
  values.get("a", [&] {
    CHECK(!values.find("a"));
    return 1;
  });
  CHECK(values.find("a") == 1);
}

TEST_CASE("everyone who asks for a value gets an error of their own") {
  OnceMap<int> values;
  const auto fail = [&](const std::string& where) {
    try {
      within([&] { values.get("a", []() -> int { throw TemporaryError("gone"); }); }, "{}", where);
    } catch (const TemporaryError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(fail("one") == "one: gone");
  CHECK(fail("two") == "two: gone");
  CHECK_THROWS_AS(values.find("a"), TemporaryError);
}
