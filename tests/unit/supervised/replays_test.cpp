#include "supervised.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <thread>

namespace cairn {

namespace {

ReplayedCall instead(long number, std::uint64_t first = 0) {
  return {.steps = {{number, {first}}}};
}

bool is_at(const char* path) {
  char buffer[PATH_MAX];
  return ::syscall(SYS_getcwd, buffer, sizeof buffer) > 0 && std::strcmp(buffer, path) == 0;
}

} // namespace

TEST_CASE("a thread makes another call in place of its own") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    return call.argument(0) == 0 ? instead(SYS_getpid) : instead(SYS_close, 12345);
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          if (::syscall(SYS_getppid, 0) != ::getpid())
            return 1;
          return ::syscall(SYS_getppid, 1) == -1 && errno == EBADF ? 0 : 2;
        }) == 0);
}

TEST_CASE("a directory that is handed over becomes the working directory, and stays open nowhere") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    if (call.path(0).text != "/elsewhere")
      return PassedCall{};
    return ReplayedCall{.steps = {{SYS_fchdir}, {SYS_close}}, .file = open_directory("/usr")};
  });
  CHECK(supervise_child({{SYS_chdir}}, handler, [] {
          const int free = ::fcntl(0, F_DUPFD, 3);
          ::close(free);
          for (int i = 0; i < 100; ++i)
            if (::chdir("/") != 0 || !is_at("/") || ::chdir("/elsewhere") != 0 || !is_at("/usr"))
              return 1;
          return ::fcntl(0, F_DUPFD, 3) == free ? 0 : 2;
        }) == 0);
}

TEST_CASE("a storm of signals changes nothing in what a thread calls instead") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    if (call.number() == SYS_getppid)
      return instead(SYS_getpid);
    return ReplayedCall{.steps = {{SYS_fchdir}, {SYS_close}}, .file = open_directory("/usr")};
  });
  CHECK(supervise_child({{SYS_getppid}, {SYS_chdir}}, handler, [] {
          begin_storm(150);
          const pid_t self = ::getpid();
          for (int i = 0; i < 500; ++i)
            if (::syscall(SYS_getppid) != self || ::chdir("/elsewhere") != 0 || !is_at("/usr"))
              return 1;
          return 0;
        }) == 0);
}

TEST_CASE(
    "another program than the one that was named is executed, its parent's memory untouched") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    if (call.path(0).text != "/no/such/program")
      return PassedCall{};
    return ReplayedCall{.steps = {{SYS_execve, {0, call.argument(1), call.argument(2)}, {{0, 0}}}},
                        .text = "/bin/true"};
  });
  CHECK(supervise_child({{SYS_execve}}, handler, [] {
          begin_storm(150);
          char program[] = "/no/such/program";
          for (int i = 0; i < 200; ++i) {
            const pid_t child = i % 2 == 0 ? ::fork() : ::vfork(); // NOLINT
            if (child == 0) {
              char* const argv[] = {program, nullptr};
              ::execve(program, argv, nullptr);
              ::_exit(99);
            }
            int status = 1;
            while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
            }
            if (status != 0 || std::strcmp(program, "/no/such/program") != 0)
              return 1;
          }
          return 0;
        }) == 0);
}

TEST_CASE("a thread's own call can be followed by others that nobody sees") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    return ReplayedCall{.steps = {own_step(call), {SYS_prctl, {PR_SET_DUMPABLE, 1}}},
                        .otherwise = ReplayedCall::Otherwise::pass};
  });
  CHECK(supervise_child({{SYS_umask}}, handler, [] {
          ::prctl(PR_SET_DUMPABLE, 1);
          ::umask(0123);
          return ::umask(022) == 0123 && ::prctl(PR_GET_DUMPABLE) == 1 ? 0 : 1;
        }) == 0);
  CHECK(handler.count == 2);
}

TEST_CASE("calls may be given texts, and the answer is that of any step") {
  SKIP_UNLESS_SUPERVISED();
  const std::string text("no\0/usr", 7);
  Answering handler([&](const Call&) -> CallAnswer {
    return ReplayedCall{
        .steps = {{SYS_chdir, {}, {{0, 3}}}, {SYS_getpid}}, .text = text, .answer = 1};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          return ::syscall(SYS_getppid) == ::getpid() && is_at("/usr") ? 0 : 1;
        }) == 0);
}

TEST_CASE("when a call fails none follows, and those that undo are made") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([&](const Call&) -> CallAnswer {
    return ReplayedCall{.steps = {{SYS_umask, {0}}, {SYS_close, {1000}}, {SYS_chdir, {}, {{0, 0}}}},
                        .text = "/usr",
                        .answer = 2,
                        .undo = {{SYS_umask, {022}}}};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          const bool failed = ::syscall(SYS_getppid) == -1 && errno == EBADF;
          return failed && !is_at("/usr") && ::umask(0) == 022 ? 0 : 1;
        }) == 0);
}

TEST_CASE("calls that undo may be given texts, too") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([&](const Call&) -> CallAnswer {
    return ReplayedCall{
        .steps = {{SYS_close, {1000}}}, .text = "/usr", .undo = {{SYS_chdir, {}, {{0, 0}}}}};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          const bool failed = ::syscall(SYS_getppid) == -1 && errno == EBADF;
          return failed && is_at("/usr") ? 0 : 1;
        }) == 0);
}

TEST_CASE("several threads make other calls at the same time") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer { return instead(SYS_gettid); });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          std::atomic<int> wrong = 0;
          {
            std::vector<std::jthread> threads;
            threads.reserve(4);
            for (int i = 0; i < 4; ++i)
              threads.emplace_back([&wrong] {
                for (int round = 0; round < 50; ++round)
                  wrong += ::syscall(SYS_getppid) != ::syscall(SYS_gettid);
              });
          }
          return wrong.load();
        }) == 0);
}

TEST_CASE(
    "a program that took its process over while a thread waited for its turn goes on undisturbed") {
  SKIP_UNLESS_SUPERVISED();
  const timespec while_it_begins{0, 300'000'000};
  Answering handler([&](const Call& call) -> CallAnswer {
    if (call.argument(0) == 1)
      return instead(SYS_nanosleep, call.argument(1));
    return call.argument(0) == 2 ? CallAnswer(instead(SYS_getpid)) : PassedCall{};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [&] {
          const pid_t sleeper = ::fork();
          if (sleeper == 0)
            ::_exit(::syscall(SYS_getppid, 1, &while_it_begins) == 0 ? 0 : 1);
          const pid_t waiter = ::fork();
          if (waiter == 0) {
            ::usleep(100'000);
            const std::jthread other([] {
              ::usleep(100'000);
              ::execl("/bin/sh", "sh", "-c",
                      "i=0; while [ $i -lt 400000 ]; do cd /; i=$((i + 1)); done; exit 7", nullptr);
            });
            ::syscall(SYS_getppid, 2);
            ::_exit(99);
          }
          int status[2] = {};
          ::waitpid(sleeper, &status[0], 0);
          ::waitpid(waiter, &status[1], 0);
          return status[0] == 0 && WIFEXITED(status[1]) && WEXITSTATUS(status[1]) == 7 ? 0 : 1;
        }) == 0);
}

TEST_CASE("a process that is killed while it makes another call is let go") {
  SKIP_UNLESS_SUPERVISED();
  std::atomic<pid_t> caller = 0;
  Answering handler([&](const Call& call) -> CallAnswer {
    caller = call.thread();
    return instead(SYS_pause);
  });
  SupervisedChild child({{SYS_getppid}}, handler, [] { return ::getppid() > 0 ? 1 : 2; });
  while (caller == 0)
    ::usleep(1000);
  ::usleep(50'000);
  ::kill(caller, SIGKILL);
  CHECK(child.finish() == 128 + SIGKILL);
}

TEST_CASE("a thread that cannot be held gets the answer that was meant for this") {
  SKIP_UNLESS_SUPERVISED();
  // The child traces its own thread of the call, so that nobody else can.
  Answering handler([](const Call& call) -> CallAnswer {
    auto replay = instead(SYS_getpid);
    if (call.argument(0) == 1)
      replay.otherwise = ReplayedCall::Otherwise::pass;
    return replay;
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          const pid_t parent = ::getpid();
          const pid_t child = ::fork();
          if (child == 0) {
            ::syscall(SYS_ptrace, 0 /* PTRACE_TRACEME */, 0, 0, 0);
            const bool failed = ::syscall(SYS_getppid, 0) == -1 && errno == EACCES;
            ::_exit(failed && ::syscall(SYS_getppid, 1) == parent ? 0 : 1);
          }
          int status = 1;
          ::waitpid(child, &status, 0);
          return status == 0 ? 0 : 1;
        }) == 0);
}

} // namespace cairn
