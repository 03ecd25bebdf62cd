#include "run/supervised/remote_memory.hpp"
#include "run/supervised/thread_status.hpp"
#include "supervised.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace cairn {

namespace {

/// Two pages; `end` is where the first one ends and nothing is mapped behind it.
struct LonelyPage {
  LonelyPage()
      : begin(static_cast<char*>(
            ::mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        end(begin + size) {
    ::munmap(end, size);
  }
  static constexpr std::size_t size = 4096;
  char* begin;
  char* end;
};

/// What a supervisor reads where a child's first argument points.
RemoteText read_from_child(const char* address) {
  RemoteText seen;
  Answering handler([&](const Call& call) -> CallAnswer {
    seen = call.path(0);
    return ReturnedValue{0};
  });
  supervise_child({{SYS_getppid}}, handler,
                  [&] { return static_cast<int>(::syscall(SYS_getppid, address)); });
  return seen;
}

} // namespace

TEST_CASE("a path is read up to its end, wherever that is in memory") {
  SKIP_UNLESS_SUPERVISED();
  const LonelyPage page;
  char* last = page.end - 5;
  std::memcpy(last, "/end", 5);
  CHECK(read_from_child(last).text == "/end");
  const std::string across(300, 'x');
  std::vector<char> pages(4 * LonelyPage::size, 0);
  for (const std::size_t before : {1UL, 17UL, 255UL, 256UL, 300UL}) {
    CAPTURE(before);
    const auto beyond = reinterpret_cast<std::uintptr_t>(pages.data()) % LonelyPage::size;
    char* start = pages.data() + 2 * LonelyPage::size - beyond - before;
    std::memcpy(start, across.c_str(), across.size() + 1);
    CHECK(read_from_child(start).text == across);
  }
  CHECK(read_from_child("").text.empty());
  CHECK(read_from_child("").error == 0);
}

TEST_CASE("a path that cannot be read is what the kernel says of it") {
  SKIP_UNLESS_SUPERVISED();
  const LonelyPage page;
  std::memcpy(page.end - 4, "open", 4); // And no NUL.
  const std::string longest(max_remote_path - 1, 'x');
  const std::string too_long(max_remote_path, 'x');
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what it is.
  const auto* const no_address = reinterpret_cast<const char*>(~0ULL - 10);
  struct {
    const char* reason;
    const char* address;
    int error;
  } const rows[] = {{"no address", nullptr, EFAULT},
                    {"nothing is mapped", page.end, EFAULT},
                    {"no address of a process", no_address, EFAULT},
                    {"no NUL before the page ends", page.end - 4, EFAULT},
                    {"the longest", longest.c_str(), 0},
                    {"one more than the longest", too_long.c_str(), ENAMETOOLONG}};
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(read_from_child(row.address).error == row.error);
  }
}

TEST_CASE("what a supervisor writes is where it was wanted") {
  SKIP_UNLESS_SUPERVISED();
  Answering handler([](const Call& call) -> CallAnswer {
    const std::string_view text = "written";
    return FailedCall{call.write(call.argument(0), text)};
  });
  const LonelyPage page;
  CHECK(supervise_child({{SYS_getppid}}, handler, [&] {
          char buffer[8] = {};
          if (::syscall(SYS_getppid, buffer) != 0 || std::strcmp(buffer, "written") != 0)
            return 1;
          if (::syscall(SYS_getppid, page.end) == 0 || errno != EFAULT)
            return 2;
          if (::syscall(SYS_getppid, ~0UL - 10) == 0 || errno != EFAULT)
            return 3;
          return 0;
        }) == 0);
}

TEST_CASE("a thread that has gone is neither read nor written, whoever has its number") {
  SKIP_UNLESS_SUPERVISED();
  int reading = 0;
  int writing = 0;
  Answering handler([&](const Call& call) -> CallAnswer {
    ::kill(call.thread(), SIGKILL);
    // As if another process had the number, the memory of this one is there to be looked at.
    while (::kill(call.thread(), 0) == 0 && call.read(call.argument(0), {}) == 0)
      ::usleep(100);
    reading = call.path(0).error;
    writing = call.write(call.argument(0), std::string_view("x"));
    return ReturnedValue{0};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          ::syscall(SYS_getppid, "text");
          return 0;
        }) == 128 + SIGKILL);
  CHECK(reading != 0);
  CHECK(writing != 0);
}

TEST_CASE("the memory of another user's command is read with that user's rights") {
  SKIP_UNLESS_SUPERVISED();
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root");
    return;
  }
  RemoteText seen;
  Answering handler([&](const Call& call) -> CallAnswer {
    const auto status = thread_status(call.thread());
    REQUIRE(status);
    CHECK(status->users.filesystem == 1234);
    const BorrowedRights rights(*status);
    seen = call.path(0);
    return ReturnedValue{0};
  });
  CHECK(supervise_child({{SYS_getppid}}, handler, [] {
          if (::setgid(1234) != 0 || ::setuid(1234) != 0)
            return 1;
          ::syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1);
          return static_cast<int>(::syscall(SYS_getppid, "text"));
        }) == 0);
  CHECK(seen.text == "text");
  CHECK(::geteuid() == 0);
}

TEST_CASE("what the kernel says of a thread is understood, and nothing else") {
  const auto status = parse_thread_status("Name:\tUid:\nTgid:\t77\nPid:\t78\n"
                                          "Uid:\t0\t1\t2\t3\nGid:\t4\t5\t6\t7\n"
                                          "CapPrm:\t00000000a80425fb\nCapEff:\t0000000000000000\n");
  REQUIRE(status);
  CHECK(status->process == 77);
  CHECK(status->users.real == 0);
  CHECK(status->users.filesystem == 3);
  CHECK(status->groups.effective == 5);
  CHECK(status->permitted == 0xa80425fb);
  CHECK(status->is_asleep());
  for (const char* text :
       {"", "Tgid:\t1\n", "Tgid:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
        "Tgid:\t1\nUid:\t0\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
        "Tgid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
        "Tgid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapPrm:\tx\nCapEff:\t0\n"}) {
    CAPTURE(text);
    CHECK(!parse_thread_status(text));
  }
  CHECK(thread_status(::getpid())->process == ::getpid());
  CHECK(!thread_status(0x3fffff));
}

} // namespace cairn
