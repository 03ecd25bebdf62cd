#include "apps/shared/signals.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

using namespace cairn;

namespace {

/// Runs `body` in a process of its own, so that no signal reaches the test; its status as a shell
/// would show it.
template<class Body>
int status_in_child(const Body& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(20); // a test that hangs ends
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void wait_for(const std::atomic<int>& count) {
  while (count == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

} // namespace

TEST_CASE("the first signal calls back once and decides the exit status") {
  for (const int wanted : {SIGTERM, SIGINT}) {
    const int status = status_in_child([&] {
      std::atomic<int> calls{0};
      const SignalWatch watch([&](int signal) { calls += signal; });
      ::kill(::getpid(), wanted);
      wait_for(calls);
      return calls == wanted && watch.received() == wanted ? watch.exit_status(1) : 2;
    });
    CHECK(status == 128 + wanted);
  }
}

TEST_CASE("the second signal ends the program at once") {
  const int status = status_in_child([] {
    std::atomic<int> calls{0};
    const SignalWatch watch([&](int) { ++calls; });
    ::kill(::getpid(), SIGTERM);
    wait_for(calls);
    ::kill(::getpid(), SIGINT);
    std::this_thread::sleep_for(std::chrono::seconds(10));
    return 3;
  });
  CHECK(status == 128 + SIGINT);
}

TEST_CASE("without a signal the watch ends by itself and the status stays") {
  const int status = status_in_child([] {
    const SignalWatch watch([](int) {});
    return watch.received() ? 2 : watch.exit_status(42);
  });
  CHECK(status == 42);
}

TEST_CASE("threads that are made later leave the signals to the watch") {
  const int status = status_in_child([] {
    std::atomic<int> calls{0};
    const SignalWatch watch([&](int) { ++calls; });
    std::thread other([&] { wait_for(calls); });
    ::kill(::getpid(), SIGTERM);
    other.join();
    return calls.load();
  });
  CHECK(status == 1);
}

TEST_CASE("a broken pipe is an error, not the end") {
  const int status = status_in_child([] {
    ignore_write_signals();
    Pipe pipe = make_pipe();
    pipe.read.reset();
    return ::write(pipe.write.get(), "x", 1) < 0 ? 0 : 1;
  });
  CHECK(status == 0);
}
