#include "run/isolation_probe.hpp"
#include "run/supervised/supervision_trial.hpp"
#include "supervised.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

namespace cairn {

namespace {

/// Which process the calling one is a child of, by what the kernel says in /proc.
pid_t parent() {
  const auto text = read_file(current_directory(), "/proc/self/stat", 4096);
  return static_cast<pid_t>(std::stol(text.substr(text.rfind(") ") + 4)));
}

/// 0 when all are closed.
int try_ways_around() {
  char room[256] = {};
  if (::syscall(SYS_io_uring_setup, 1, room) != -1 || errno != ENOSYS)
    return 1;
#if defined(__x86_64__)
  constexpr long x32 = 0x40000000;
  if (::syscall(x32 | SYS_getpid) != -1 || errno != ENOSYS)
    return 2;
  long result = 20; // getpid of i386
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  if (static_cast<int>(result) != -ENOSYS)
    return 3;
#endif
  return 0;
}

} // namespace

TEST_CASE("a call returns what its supervisor answers") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    switch (call.argument(0)) {
    case 1:
      return ReturnedValue{4'000'000'000};
    case 2:
      return FailedCall{EXDEV};
    case 3:
      return HandedFile{open_at(current_directory(), "/dev/zero", O_RDONLY), true};
    case 4:
      return HandedFile{open_at(current_directory(), "/dev/zero", O_RDONLY), false};
    default:
      return PassedCall{};
    }
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          if (::syscall(SYS_getppid, 1) != 4'000'000'000)
            return 1;
          if (::syscall(SYS_getppid, 2) != -1 || errno != EXDEV)
            return 2;
          char byte = 1;
          const auto closing = static_cast<int>(::syscall(SYS_getppid, 3));
          if (::fcntl(closing, F_GETFD) != FD_CLOEXEC || ::read(closing, &byte, 1) != 1 ||
              byte != 0)
            return 3;
          if (::fcntl(static_cast<int>(::syscall(SYS_getppid, 4)), F_GETFD) != 0)
            return 4;
          return ::getppid() == parent() ? 0 : 5;
        }) == 0);
  CHECK(handler.count == 5);
}

TEST_CASE("where a thread has no room for another descriptor its call says so") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer {
    return HandedFile{open_at(current_directory(), "/dev/null", O_RDONLY), true};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          const rlimit few{64, 64};
          ::setrlimit(RLIMIT_NOFILE, &few);
          while (::fcntl(0, F_DUPFD, 0) >= 0) {
          }
          return ::syscall(SYS_getppid) == -1 && errno == EMFILE ? 0 : 1;
        }) == 0);
}

TEST_CASE("a call with a flag that lets it pass is not stopped") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer { return FailedCall{EXDEV}; });
  CHECK(supervise_child({{SYS_newfstatat, TrappedCall::Pass{3, AT_EMPTY_PATH}}, {SYS_openat}},
                        handler, [] {
                          struct stat info {};
                          if (::syscall(SYS_newfstatat, 0, "", &info, AT_EMPTY_PATH) != 0)
                            return 1;
                          if (::syscall(SYS_newfstatat, 0, "/", &info, 0) != -1 || errno != EXDEV)
                            return 2;
                          return ::open("/", O_RDONLY) == -1 && errno == EXDEV ? 0 : 3; // NOLINT
                        }) == 0);
  CHECK(handler.count == 2);
}

TEST_CASE("a call without an address is not stopped where it needs none") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer { return FailedCall{EXDEV}; });
  CHECK(supervise_child({{SYS_getppid, TrappedCall::Pass{1}}}, handler, [] {
          if (::syscall(SYS_getppid, 1, nullptr) != parent())
            return 1;
          if (::syscall(SYS_getppid, 1, 1) != -1 || errno != EXDEV)
            return 2;
          constexpr std::uint64_t only_above = 1ULL << 40;
          return ::syscall(SYS_getppid, 1, only_above) == -1 && errno == EXDEV ? 0 : 3;
        }) == 0);
  CHECK(handler.count == 2);
}

TEST_CASE("ways around the filter are closed") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer { return PassedCall{}; });
  CHECK(supervise_child({{SYS_getppid}}, handler, try_ways_around) == 0);
}

TEST_CASE("every thread gets the answer to its own call") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    return ReturnedValue{static_cast<std::int64_t>(call.argument(0)) + 1};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          std::atomic<int> wrong = 0;
          {
            std::vector<std::jthread> threads;
            for (long first = 0; first < 8000; first += 1000)
              threads.emplace_back([&wrong, first] {
                for (long i = first; i < first + 1000; ++i)
                  if (::syscall(SYS_getppid, i) != i + 1)
                    ++wrong;
              });
          }
          return wrong.load();
        }) == 0);
  CHECK(handler.count == 8000);
}

TEST_CASE("calls between vfork and exec are answered, and what they leave is their parent's") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    return ReturnedValue{static_cast<std::int64_t>(call.argument(0)) + 1};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          for (int i = 0; i < 200; ++i) {
            volatile long seen = 0;
            const pid_t child = ::vfork(); // NOLINT
            if (child == 0) {
              seen = ::syscall(SYS_getppid, i);
              ::execl("/bin/true", "true", nullptr);
              ::_exit(99);
            }
            int status = 0;
            if (::waitpid(child, &status, 0) != child || status != 0 || seen != i + 1)
              return 1;
          }
          return 0;
        }) == 0);
}

TEST_CASE("signals never show in a call that is answered") {
  SKIP_UNLESS_SUPERVISED();
  if (best_stopped_wait() != StoppedWait::killable) {
    MESSAGE("skipped: needs Linux 5.19");
    return;
  }
  Answering handler([](const Call&) -> CallAnswer { return PassedCall{}; });
  const TempDir place("/tmp");
  const auto directory = place.path() + "/d";
  const auto file = place.path() + "/f";
  CHECK(supervise_child({{SYS_mkdirat}, {SYS_unlinkat}, {SYS_openat}, {SYS_getppid}}, handler, [&] {
          begin_storm(400);
          int wrong = 0;
          for (int i = 0; i < 1500; ++i) {
            wrong += ::mkdirat(AT_FDCWD, directory.c_str(), 0755) != 0;
            wrong += ::unlinkat(AT_FDCWD, directory.c_str(), AT_REMOVEDIR) != 0;
            const int made = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
            wrong += made < 0;
            ::close(made);
            wrong += ::unlinkat(AT_FDCWD, file.c_str(), 0) != 0;
          }
          return std::min(wrong, 100);
        }) == 0);
}

TEST_CASE("a supervision ends when the last process has gone, not the first one") {
  SKIP_UNLESS_SUPERVISED();
  std::atomic<bool> late = false;
  Answering handler([&](const Call& call) -> CallAnswer {
    late = call.argument(0) == 1;
    return ReturnedValue{0};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          if (::fork() == 0) {
            ::usleep(100'000);
            ::syscall(SYS_getppid, 1);
            ::_exit(0);
          }
          return 0;
        }) == 0);
  CHECK(late);
}

TEST_CASE("calls that nobody answers any more are not there") {
  SKIP_UNLESS_SUPERVISED();
  Pipe ready = make_pipe();
  Answering handler([&](const Call&) -> CallAnswer { return ReturnedValue{7}; });
  SupervisedChild child({{SYS_getppid}}, handler, [&] {
    if (::syscall(SYS_getppid) != 7 || ::write(ready.write.get(), "x", 1) != 1)
      return 1;
    for (int i = 0; i < 1000; ++i) {
      if (::syscall(SYS_getppid) == -1)
        return errno == ENOSYS ? 0 : 2;
      ::usleep(10'000);
    }
    return 3;
  });
  std::byte byte[1];
  read_full(ready.read, byte);
  child.stop();
  CHECK(child.finish() == 0);
}

TEST_CASE("what a handler throws ends the supervision, and is told to who waits for its end") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer { throw Error("no answer"); });
  SupervisedChild child({{SYS_getppid}}, handler, [] {
    ::signal(SIGTERM, SIG_IGN);
    return ::syscall(SYS_getppid) == -1 && errno == ENOSYS ? 0 : 1;
  });
  CHECK_THROWS_WITH_AS(child.finish(), "no answer", Error);
  CHECK(child.failed);
}

TEST_CASE("where there is a supervisor already the trial says whose fault it is") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call&) -> CallAnswer { return PassedCall{}; });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          const auto lacks = try_supervision();
          return lacks.size() == 1 &&
                         lacks.front() ==
                             "filter system calls for a supervisor: Device or resource "
                             "busy (the container runtime has a supervisor of its own)"
                     ? 0
                     : 1;
        }) == 0);
}

TEST_CASE("where there is a supervisor already commands run in the next mode, and it is said why") {
  SKIP_UNLESS_SUPERVISED();
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root");
    return;
  }
  // As a seccomp profile answers where namespaces are refused.
  Answering handler([](const Call& call) -> CallAnswer {
    constexpr std::uint64_t namespaces = CLONE_NEWUSER | CLONE_NEWNS;
    if (call.number() == SYS_clone && (call.argument(0) & namespaces) == 0)
      return PassedCall{};
    return FailedCall{EPERM};
  });
  const TempDir work("/tmp");
  Pipe said = make_pipe();
  CHECK(supervise_child({{SYS_clone}, {SYS_unshare}}, handler, [&] {
          const auto probe = probe_isolation({Isolation::automatic, work.path(), Force::yes, {}});
          const auto text = join(probe.explanation(), "\n");
          write_all(said.write, std::as_bytes(std::span(text)));
          return probe.mode == IsolationMode::inplace ? 0 : 1;
        }) == 0);
  said.write.reset();
  const auto lines = split(read_file(said.read, 4096), '\n');
  REQUIRE(lines.size() == 3);
  CHECK(lines[2] ==
        "supervised: filter system calls for a supervisor: Device or resource busy (the "
        "container runtime has a supervisor of its own)");
}

} // namespace cairn
