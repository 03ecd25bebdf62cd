#include "util/error.hpp"
#include "util/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>

using namespace cairn;

TEST_SUITE_BEGIN("util/parallel");

TEST_CASE("every item is worked on once") {
  std::vector<std::atomic<int>> seen(100);
  parallel_for(seen.size(), 4, [&](std::size_t i) { ++seen[i]; });
  for (const auto& count : seen)
    CHECK(count == 1);
  parallel_for(0, 4, [](std::size_t) { FAIL("there is nothing to do"); });
}

TEST_CASE("the first error ends the work and comes back") {
  std::atomic<int> started = 0;
  CHECK_THROWS_WITH_AS(parallel_for(1000, 2,
                                    [&](std::size_t i) {
                                      ++started;
                                      if (i == 3)
                                        throw Error("item 3");
                                    }),
                       "item 3", Error);
  CHECK(started < 1000);
}

TEST_SUITE_END();
