#include "../run/place.hpp"
#include "run/chroot/chroot_calls.hpp"
#include "run/chroot/chroot_handler.hpp"
#include "run/chroot/guarded_changes.hpp"
#include "run/chroot/sleeping_rights.hpp"
#include "run/process/capabilities.hpp"
#include "run/supervised_devices.hpp"
#include "storm_calls.hpp"
#include "supervised.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

namespace cairn {

namespace {

std::optional<std::string> cannot_storm() {
  if (auto why = cannot_use_place())
    return why;
  if (best_stopped_wait() != StoppedWait::killable)
    return "needs Linux 5.19";
  return cannot_supervise();
}

/// A root whose commands are answered as those of builds are.
struct StormyPlace : Place {
  explicit StormyPlace(ChrootHandler::Rights rights, ChangeGuard watched = ChangeGuard::none)
      : asleep(rights), changes(watched) {
    for (const char* name : {"/tmp", "/etc", "/proc", "/sys", "/dev", "/ro/d"})
      make_directories(layer() + name);
    write_file(layer() + "/ro/f", "text\n");
    std::filesystem::create_symlink("f", layer() + "/ro/l");
    write_file(layer() + "/tmp/f", "text\n");
    std::filesystem::create_symlink("f", layer() + "/tmp/l");
    std::filesystem::create_symlink("/proc/self/mounts", layer() + "/etc/mtab");
    std::vector<std::string> read_only;
    if (changes != ChangeGuard::none)
      read_only.push_back(layer() + (changes == ChangeGuard::files ? "/ro/f" : "/ro"));
    handler.emplace(
        KernelView(layer(), make_devices(layer() + "/dev"), "stormy", ReadOnlyPlaces(read_only)),
        rights, changes);
  }

  std::vector<TrappedCall> calls() const {
    std::vector<TrappedCall> all;
    if (asleep == ChrootHandler::Rights::asleep)
      all.assign(SleepingRights::calls().begin(), SleepingRights::calls().end());
    const auto guarded = guarded_calls(changes);
    all.insert(all.end(), guarded.begin(), guarded.end());
    for (const auto& call : chroot_calls())
      all.push_back(call.call);
    return all;
  }

  /// What a process in this root writes about itself.
  std::string say(const std::function<void(std::string&)>& body) {
    Pipe pipe = make_pipe();
    const int status = supervise_child(
        calls(), *handler,
        [&] {
          std::string text;
          body(text);
          write_all(pipe.write, std::as_bytes(std::span(text)));
          return 0;
        },
        [&] {
          const bool is_user = asleep == ChrootHandler::Rights::asleep;
          if (::chroot(layer().c_str()) != 0 || ::chdir("/") != 0 ||
              (is_user && become_user_with(container_capabilities, 1001) != 0))
            ::_exit(1);
        });
    pipe.write.reset();
    return read_file(pipe.read, 1 << 20) + (status == 0 ? "" : fmt::format("status {}", status));
  }

  ChrootHandler::Rights asleep;
  ChangeGuard changes;
  std::optional<ChrootHandler> handler;
};

int open_descriptors() {
  int count = 0;
  for (int number = 0; number < 256; ++number)
    count += ::fcntl(number, F_GETFD) >= 0;
  return count;
}

void make_in_storm(const StormyCall& call, std::string& wrong) {
  for (int round = 0; round < call.rounds; ++round) {
    const long result = call.make();
    if (result != call.result) {
      wrong += fmt::format("call {}, {}: {} in round {}, not {}\n", call.number, call.what, result,
                           round, call.result);
      return;
    }
  }
}

void storm_through(const std::vector<StormyCall>& calls, std::string& wrong) {
  begin_storm(200);
  for (const auto& call : calls) {
    const int before = open_descriptors();
    make_in_storm(call, wrong);
    if (open_descriptors() != before)
      wrong += fmt::format("call {}, {}: descriptors stay open\n", call.number, call.what);
  }
}

void storm_in_threads(std::string& wrong) {
  constexpr std::size_t count = 4;
  begin_storm(200);
  const int before = open_descriptors();
  std::mutex mutex;
  {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      threads.emplace_back([&] {
        std::string own;
        for (auto call : stormy_calls()) {
          call.rounds = 40;
          if (call.threads == StormyCall::Threads::any)
            make_in_storm(call, own);
        }
        const std::lock_guard lock(mutex);
        wrong += own;
      });
  }
  if (open_descriptors() != before)
    wrong += "descriptors stay open\n";
}

std::string without_storm(const std::vector<TrappedCall>& trapped,
                          const std::vector<StormyCall>& calls) {
  std::string missing;
  for (const auto& one : trapped)
    if (std::none_of(calls.begin(), calls.end(),
                     [&](const StormyCall& call) { return call.number == one.number; }))
      missing += fmt::format(" {}", one.number);
  return missing;
}

} // namespace

TEST_CASE("in a storm of signals every call that is answered says what the kernel would say") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain);
  CHECK(without_storm(place.calls(), stormy_calls()) == "");
  CHECK(place.say([](std::string& wrong) { storm_through(stormy_calls(), wrong); }) == "");
}

TEST_CASE(
    "in a storm of signals of children, whose handler lets no call begin anew, none ends by them") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain);
  CHECK(place.say([](std::string& wrong) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigaction(SIGCHLD, &action, nullptr);
    const pid_t parent = ::getpid();
    const pid_t sender = ::fork();
    while (sender == 0 && ::getppid() == parent && ::kill(parent, SIGCHLD) == 0)
      ::usleep(100);
    for (const auto& call : stormy_calls())
      if (call.threads == StormyCall::Threads::any)
        make_in_storm(call, wrong);
    ::kill(sender, SIGKILL);
    while (::waitpid(sender, nullptr, 0) < 0 && errno == EINTR) {
    }
  }) == "");
}

TEST_CASE("while files and directories are renamed every call says what the kernel would say") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain);
  CHECK(place.say([](std::string& wrong) {
    ::mkdir("/tmp/one", 0755);
    const pid_t parent = ::getpid();
    const pid_t mover = ::fork();
    while (mover == 0 && ::getppid() == parent) {
      ::rename("/tmp/one", "/tmp/two");
      ::rename("/tmp/two", "/tmp/one");
    }
    for (const auto& call : stormy_calls())
      if (call.threads == StormyCall::Threads::any)
        make_in_storm(call, wrong);
    ::kill(mover, SIGKILL);
    ::waitpid(mover, nullptr, 0);
  }) == "");
}

TEST_CASE("a process that ends while its status is looked at is not there") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain);
  CHECK(place.say([](std::string& wrong) {
    for (int round = 0; round < 400; ++round) {
      const pid_t child = ::fork();
      if (child == 0)
        ::_exit(0);
      const auto path = fmt::format("/proc/{}/status", child);
      const std::jthread reaper([child] { ::waitpid(child, nullptr, 0); });
      for (int look = 0; look < 5; ++look) {
        const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file && errno != ENOENT && errno != ESRCH)
          wrong += fmt::format("error {}\n", errno);
      }
    }
  }) == "");
}

TEST_CASE("in a storm of signals what is read-only stays as it is") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain, ChangeGuard::all);
  const auto calls = stormy_calls_of_guarded();
  CHECK(without_storm(guarded_calls(ChangeGuard::all), calls) == "");
  CHECK(place.say([&](std::string& wrong) {
    if (::dup2(::open("/ro/f", O_RDONLY | O_CLOEXEC), read_only_descriptor) < 0)
      wrong += "no descriptor\n";
    storm_through(calls, wrong);
  }) == "");
}

TEST_CASE("in a storm of signals a file that is read-only stays as it is, and others change") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain, ChangeGuard::files);
  const auto calls = stormy_calls_of_file();
  CHECK(without_storm(guarded_calls(ChangeGuard::files), calls) == "");
  CHECK(place.say([&](std::string& wrong) {
    if (::dup2(::open("/ro/f", O_RDONLY | O_CLOEXEC), read_only_descriptor) < 0)
      wrong += "no descriptor\n";
    storm_through(calls, wrong);
  }) == "");
}

TEST_CASE("in a storm of signals the rights of a user sleep on") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::asleep);
  const auto calls = stormy_calls_of_user();
  CHECK(without_storm({SleepingRights::calls().begin(), SleepingRights::calls().end()}, calls) ==
        "");
  CHECK(place.say([&](std::string& wrong) { storm_through(calls, wrong); }) == "");
}

TEST_CASE("in a storm of signals the calls of all threads say what the kernel would say") {
  SKIP_IF(cannot_storm());
  StormyPlace place(ChrootHandler::Rights::plain);
  CHECK(place.say(storm_in_threads) == "");
}

} // namespace cairn
