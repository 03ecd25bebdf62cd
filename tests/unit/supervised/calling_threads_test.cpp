#include "run/supervised/calling_threads.hpp"

#include <doctest/doctest.h>

namespace cairn {

namespace {

void call(CallingThreads& threads, pid_t thread, int times) {
  for (int i = 0; i < times; ++i)
    threads.note(thread, 0);
}

} // namespace

TEST_CASE("threads that call by turns are parallel") {
  CallingThreads threads;
  for (int turn = 0; turn < 8; ++turn) {
    call(threads, 10, 300);
    call(threads, 11, 300);
  }
  CHECK(threads.are_parallel());
}

TEST_CASE("processes that follow each other are not parallel, nor is the one that starts them") {
  CallingThreads threads;
  for (pid_t child = 100; child < 400; ++child) {
    call(threads, 10, 30);
    call(threads, child, 200);
    CHECK_FALSE(threads.are_parallel());
  }
}

TEST_CASE("what a process starts may start others that it waits for") {
  CallingThreads threads;
  for (pid_t shell = 1000; shell < 1100; ++shell) {
    call(threads, 10, 30);
    for (pid_t child = 1; child < 10; ++child) {
      call(threads, shell, 20);
      call(threads, shell * 100 + child, 40);
    }
    CHECK_FALSE(threads.are_parallel());
  }
}

TEST_CASE("two of many are parallel, whatever the others do") {
  CallingThreads threads;
  for (pid_t other = 100; other < 400; ++other) {
    call(threads, 10, 60);
    call(threads, other, 20);
    call(threads, 11, 60);
  }
  CHECK(threads.are_parallel());
}

TEST_CASE("when one thread is left it is alone") {
  CallingThreads threads;
  for (int turn = 0; turn < 40; ++turn) {
    call(threads, 10, 100);
    call(threads, 11, 100);
  }
  CHECK(threads.are_parallel());
  call(threads, 10, 3000);
  CHECK_FALSE(threads.are_parallel());
}

TEST_CASE("where a thread is shows when the supervisor is woken elsewhere than it was") {
  CallingThreads threads;
  threads.note(10, 0);
  threads.note(11, 1);
  CHECK(threads.is_here());
  threads.note(11, 1);
  CHECK(threads.is_here());
  // It may have called while the supervisor was at work there.
  threads.note(12, 1);
  CHECK_FALSE(threads.is_here());
  threads.note(12, 0);
  CHECK(threads.is_here());
  threads.note(11, 0);
  CHECK_FALSE(threads.is_here());
  threads.note(12, 0);
  CHECK(threads.is_here());
}

} // namespace cairn
