#include "../../support/no_threads.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"
#include "util/stream.hpp"
#include "util/threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>

using namespace cairn;
using test::NoThreads;

TEST_SUITE_BEGIN("util/threads");

namespace {

/// The message and the detail of what `body` throws; "" for nothing.
template<class Body>
std::string told(const Body& body) {
  try {
    body();
  } catch (const SysError& error) {
    return std::string(error.what()) + "\n" + error.detail();
  }
  return "";
}

} // namespace

TEST_CASE("a thread that cannot be started is an error with a way out") {
  const NoThreads none;
  const std::string expected =
      "start a thread: Resource temporarily unavailable\n"
      "hint: the limit on processes (pids.max of the pod, ulimit -u) or on memory is reached";
  CHECK(told([] { start_thread([] {}); }) == expected);
  CHECK(told([] { start_async([] { return 1; }).get(); }) == expected);
  CHECK(told([] { const ThreadSink sink([](Source&) {}); }) == expected);
  CHECK(told([] { const ThreadSource source([](Sink&) {}); }) == expected);
}

TEST_CASE("what a task holds is let go of when it cannot be started") {
  const NoThreads none;
  const auto held = std::make_shared<int>(1);
  CHECK_THROWS_AS(start_async([held] { return *held; }), SysError);
  CHECK(held.use_count() == 1);
}

TEST_CASE("threads that share work are as many as there can be") {
  std::atomic<int> runs = 0;
  {
    const NoThreads none;
    CHECK(start_threads(3, [&] { ++runs; }).empty());
  }
  CHECK(start_threads(3, [&] { ++runs; }).size() == 3);
  CHECK(runs == 3);
}

TEST_CASE("parallel work is done by one thread where there is no other") {
  const NoThreads none;
  std::set<std::size_t> done;
  parallel_for(100, 8, [&](std::size_t item) { done.insert(item); });
  CHECK(done.size() == 100);
}

TEST_SUITE_END();
