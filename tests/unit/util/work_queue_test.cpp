#include "util/work_queue.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <vector>

using namespace cairn;

TEST_SUITE_BEGIN("util/work_queue");

TEST_CASE("work is done in its order, and waited for") {
  std::vector<int> done;
  WorkQueue<int> queue([&](int item) { done.push_back(item); });
  REQUIRE(queue.start(1));
  for (int i = 0; i < 5; ++i)
    CHECK(queue.add(i));
  queue.finish();
  CHECK(done == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("a queue that was not started takes nothing") {
  WorkQueue<int> queue([](int) {});
  CHECK_FALSE(queue.has_threads());
  CHECK_FALSE(queue.add(1));
  queue.finish();
}

TEST_CASE("what has not begun at the end is dropped, and what is under way is waited for") {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<int> done = 0;
  {
    WorkQueue<int> queue([&](int item) {
      if (item == 0) {
        begun.set_value();
        go_on.get_future().wait();
      }
      ++done;
    });
    REQUIRE(queue.start(1));
    for (int i = 0; i < 3; ++i)
      queue.add(i);
    begun.get_future().wait();
    go_on.set_value();
  }
  CHECK(done >= 1);
  CHECK(done <= 3);
}

TEST_SUITE_END();
