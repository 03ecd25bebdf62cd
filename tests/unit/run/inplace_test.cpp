#include "place.hpp"
#include "run/inplace_runner.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace cairn {

namespace {

// The commands of these tests run in the real "/": they only print, wait and write to /dev/null.

std::optional<std::string> cannot_run_in_place() {
  if (::geteuid() != 0)
    return "needs root";
  return std::nullopt;
}

Said say_here(const std::string& script) {
  InPlaceRunner runner({"/tmp", std::chrono::seconds(10)});
  return say(runner, InPlaceRoot{}, script);
}

} // namespace

TEST_CASE("in place, a command is run with what it was given and nothing else") {
  SKIP_IF(cannot_run_in_place());
  const auto said = say_here("echo $PATH; env | grep -c HOME; pwd; umask; exit 3");
  CHECK(said.output == "/bin:/usr/bin\n0\n/\n0022\n");
  CHECK(said.outcome.exit_status == 3);
}

TEST_CASE("in place, root has the capabilities of a container, other users have none") {
  SKIP_IF(cannot_run_in_place());
  InPlaceRunner runner({"/tmp", std::chrono::seconds(10)});
  auto invocation = shell("grep Cap...: /proc/self/status");
  CHECK(say(runner, InPlaceRoot{}, invocation).output ==
        "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
        "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
  invocation.argv[2] = "id -u; id -g; id -G; grep CapEff /proc/self/status";
  invocation.uid = 65534;
  invocation.gid = 65533;
  invocation.groups = {65533, 7};
  CHECK(say(runner, InPlaceRoot{}, invocation).output ==
        "65534\n65533\n65533 7\nCapEff:\t0000000000000000\n");
}

TEST_CASE(
    "in place, any user may open the standard streams, which cannot harm those of the executor") {
  SKIP_IF(cannot_run_in_place());
  InPlaceRunner runner({"/tmp", std::chrono::seconds(10)});
  for (const uid_t uid : {0U, 65534U}) {
    auto invocation = shell("echo 1; echo 2 > /dev/stdout; echo 3 > /proc/self/fd/1");
    invocation.uid = uid;
    CHECK(say(runner, InPlaceRoot{}, invocation).output == "1\n2\n3\n");
  }
}

TEST_CASE("in place, no descriptor but the standard ones is inherited") {
  SKIP_IF(cannot_run_in_place());
  const Pipe leaked = make_pipe();
  const Fd open_on_exec(::dup(leaked.read.get())); // NOLINT(android-cloexec-dup)
  const auto said = say_here("for fd in /proc/self/fd/*; do echo ${fd##*/}; done");
  CHECK(said.output == "0\n1\n2\n3\n");
}

TEST_CASE("in place, a program that does not exist is reported") {
  SKIP_IF(cannot_run_in_place());
  InPlaceRunner runner({"/tmp", std::chrono::seconds(10)});
  auto invocation = shell("");
  invocation.argv = {"no-such-program"};
  const auto outcome = say(runner, InPlaceRoot{}, invocation).outcome;
  CHECK(outcome.exit_status == 127);
  CHECK(outcome.not_started == "exec: \"no-such-program\": executable file not found in $PATH");
}

TEST_CASE("in place, what a command leaves running is ended with it") {
  SKIP_IF(cannot_run_in_place());
  InPlaceRunner runner({"/tmp", std::chrono::seconds(10)});
  for (const char* script :
       {"sleep 1000 & echo done", "(sleep 1000 &) ; echo done",
        "setsid sh -c '(sleep 1000 &) ; sleep 1000' & echo done",
        "(setsid sh -c '(setsid sleep 1000 &) ; sleep 1000' &) ; sleep 0.1; echo done"}) {
    CAPTURE(script);
    Pipe alive = make_pipe();
    auto invocation = shell(script);
    invocation.output = alive.write;
    runner.run(InPlaceRoot{}, invocation);
    alive.write.reset();
    CHECK(read_file(alive.read, 100) == "done\n");
  }
}

TEST_CASE("in place, a signal reaches the command, and one that does not end is killed") {
  SKIP_IF(cannot_run_in_place());
  struct {
    const char* script;
    int status;
  } const rows[] = {{"trap 'exit 3' TERM; echo ready; sleep 1000 & wait", 3},
                    {"echo ready; sleep 1000; true", 143},
                    {"trap '' TERM; echo ready; (setsid sleep 1000 &) ; sleep 1000", 137}};
  for (const auto& row : rows) {
    CAPTURE(row.script);
    InPlaceRunner runner({"/tmp", std::chrono::milliseconds(50)});
    Pipe ready = make_pipe();
    auto invocation = shell(row.script);
    invocation.output = ready.write;
    std::thread sender([&] {
      std::byte buffer[6];
      read_full(ready.read, buffer);
      runner.forward_signal(SIGTERM);
    });
    const auto outcome = runner.run(InPlaceRoot{}, invocation);
    sender.join();
    CHECK(outcome.exit_status == row.status);
  }
}

TEST_CASE("in place, nothing is left when the executor dies") {
  SKIP_IF(cannot_run_in_place());
  Pipe alive = make_pipe();
  Pipe ready = make_pipe();
  const pid_t executor = ::fork();
  if (executor == 0) {
    auto invocation = shell("(setsid sleep 1000 &) ; echo ready; sleep 1000");
    invocation.output = ready.write;
    invocation.errors = alive.write;
    InPlaceRunner({"/tmp", std::chrono::seconds(10)}).run(InPlaceRoot{}, invocation);
    ::_exit(0);
  }
  alive.write.reset();
  std::byte buffer[6];
  read_full(ready.read, buffer);
  ::kill(executor, SIGKILL);
  CHECK(read_file(alive.read, 100).empty()); // Ends when the last process is gone.
}

TEST_CASE("in place, a command cannot read the environment or memory of the executor") {
  SKIP_IF(cannot_run_in_place());
  const auto said = in_child([] {
    const auto runner = make_runner({IsolationMode::inplace, {}}, {"/tmp", {}});
    const auto script = fmt::format("head -c1 /proc/{0}/environ; head -c1 /proc/{0}/mem; "
                                    "readlink /proc/{0}/fd/0 /proc/$PPID/fd/0; "
                                    "head -c1 /proc/$PPID/environ",
                                    ::getpid());
    return say(*runner, InPlaceRoot{}, script).output;
  });
  CHECK(said.empty());
}

TEST_CASE("in place, what needs namespaces is refused") {
  InPlaceRunner runner({"/tmp", {}});
  auto invocation = shell("true");
  CHECK_THROWS_AS(runner.run(DirectoryRoot{"/tmp"}, invocation), Error);
  invocation.network = CommandNetwork::none;
  CHECK_THROWS_AS(runner.run(InPlaceRoot{}, invocation), Error);
}

} // namespace cairn
