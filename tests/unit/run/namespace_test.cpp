#include "place.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace cairn {

TEST_CASE("a command runs in an overlay and leaves its changes in the upper directory") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  const auto said = say(*runner, place.overlay(), "echo hello; echo oops >&2; echo text > /new");
  CHECK(said.outcome.exit_status == 0);
  CHECK(said.output == "hello\n");
  CHECK(said.errors == "oops\n");
  CHECK(said.outcome.duration.count() > 0);
  CHECK(paths_below(place.upper()) == "new");
}

TEST_CASE("a command runs in a directory and changes it") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  const auto before = paths_below(place.layer());
  CHECK(say(*runner, place.directory(), "echo text > /bin/new").outcome.succeeded());
  CHECK(::unlink((place.layer() + "/bin/new").c_str()) == 0);
  CHECK(paths_below(place.layer()) == before);
}

TEST_CASE("a root without any layer runs nothing and says so") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  auto root = place.overlay();
  root.lower.clear();
  const auto said = say(*runner, root, "true");
  CHECK(said.outcome.exit_status == 127);
  CHECK(said.outcome.not_started == "exec: \"/bin/sh\": no such file or directory");
  CHECK(paths_below(root.upper).empty());
}

TEST_CASE("more layers than fit into a page of names can be stacked, up to the kernel's limit") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  std::vector<std::string> layers;
  for (int i = 0; i < 400; ++i) {
    layers.push_back(fmt::format("{}/a-rather-long-name-of-a-layer-{}", place.path(), i));
    make_directories(layers.back());
    write_file(fmt::format("{}/file", layers.back()), fmt::format("{}\n", i));
  }
  CHECK(say(*runner, place.overlay(layers), "cat /file").output == "0\n");
  layers.insert(layers.end(), 101, layers.back());
  CHECK_THROWS_AS(say(*runner, place.overlay(layers), "true"), Error);
}

TEST_CASE("removed files and replaced directories become whiteouts and opaque directories") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/d");
  write_file(place.layer() + "/d/f", "");
  write_file(place.layer() + "/g", "");
  auto runner = namespace_runner(place);
  const auto root = place.overlay();
  CHECK(say(*runner, root, "rm -r /d /g && mkdir /d && ls /d").output.empty());
  struct stat info {};
  REQUIRE(::lstat((root.upper + "/g").c_str(), &info) == 0);
  CHECK(S_ISCHR(info.st_mode));
  CHECK(info.st_rdev == 0);
  CHECK(paths_below(root.upper) == "d/ g");
  // A lower layer's marks are understood as well.
  const std::vector<std::string> layers = {root.upper};
  CHECK(say(*runner, place.overlay(layers), "ls /d /g").outcome.exit_status != 0);
}

TEST_CASE("exit statuses and signals of the command are reported") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  CHECK(say(*runner, place.directory(), "exit 42").outcome.exit_status == 42);
  const auto killed = say(*runner, place.directory(), "kill -9 $$").outcome;
  CHECK(killed.exit_status == 137);
  CHECK(killed.signal == SIGKILL);
}

TEST_CASE("a program that cannot be started is told apart by its status") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  write_file(place.layer() + "/bin/plain", "echo not executable\n");
  write_file(place.layer() + "/bin/orphan", "#!/no/such/interpreter\n");
  ::chmod((place.layer() + "/bin/orphan").c_str(), 0755);
  write_file(place.layer() + "/bin/noise", "noise\n");
  ::chmod((place.layer() + "/bin/noise").c_str(), 0755);
  auto runner = namespace_runner(place);
  struct {
    const char* program;
    int status;
    const char* message;
  } const rows[] = {
      {"foo", 127, "exec: \"foo\": executable file not found in $PATH"},
      {"plain", 127, "exec: \"plain\": executable file not found in $PATH"},
      {"/bin/foo", 127, "exec: \"/bin/foo\": no such file or directory"},
      {"/bin/plain", 126, "exec: \"/bin/plain\": permission denied"},
      {"/bin", 126, "exec: \"/bin\": permission denied"},
      {"noise", 126, "exec: \"noise\": exec format error"},
      {"orphan", 127, "exec: \"orphan\": its interpreter does not exist"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.program);
    Invocation invocation = shell("");
    invocation.argv = {row.program};
    const auto outcome = say(*runner, place.overlay(), invocation).outcome;
    CHECK(outcome.exit_status == row.status);
    CHECK(outcome.not_started.value_or("it started") == row.message);
  }
}

TEST_CASE("the environment and the arguments are those given, and nothing else") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  Invocation invocation;
  invocation.argv = {"env"};
  invocation.environment = {"PATH=/nowhere:/bin", "A=b c"};
  CHECK(say(*runner, place.directory(), invocation).output == "PATH=/nowhere:/bin\nA=b c\n");
}

TEST_CASE("directory, owner, groups and umask are set") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/srv/app");
  auto runner = namespace_runner(place);
  auto invocation = shell("pwd; id -u; id -g; id -G; umask; cd / && touch /srv/app/mine");
  invocation.working_directory = RootedPath::parse("/srv/app");
  invocation.uid = 1000;
  invocation.gid = 100;
  invocation.groups = {100, 27};
  auto said = say(*runner, place.directory(), invocation);
  CHECK(said.output == "/srv/app\n1000\n100\n100 27\n0022\n");
  CHECK(said.outcome.exit_status == 1);
  invocation.working_directory = RootedPath::parse("/no/such");
  // An image may name a directory that it lacks: it is made, as the user's.
  invocation.argv[2] = "pwd; stat -c %u:%a .";
  CHECK(say(*runner, place.directory(), invocation).output == "/no/such\n1000:755\n");
  invocation.working_directory = RootedPath::parse("/bin/sh");
  CHECK_THROWS_WITH_AS(say(*runner, place.directory(), invocation),
                       "change to the working directory: Not a directory", SysError);
}

TEST_CASE("root has the capabilities of a container, other users have none") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  auto invocation = shell("grep Cap /proc/self/status");
  CHECK(say(*runner, place.directory(), invocation).output ==
        "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
        "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
  invocation.uid = 1000;
  CHECK(say(*runner, place.directory(), invocation).output ==
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
        "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
}

TEST_CASE("the command sees system directories of its own") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  const auto overlay = place.overlay();
  CHECK(say(*runner, overlay, "ls /dev").output ==
        "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\n"
        "urandom\nzero\n");
  CHECK(say(*runner, overlay, "echo gone > /dev/null; head -c 3 /dev/zero | wc -c").output ==
        "3\n");
  CHECK(say(*runner, overlay, "readlink /dev/stdin; readlink /proc/self/fd/0").output ==
        "/proc/self/fd/0\n/dev/null\n");
  CHECK(say(*runner, overlay, "ls /proc/self/fd").output == "0\n1\n2\n3\n");
  CHECK(say(*runner, overlay, "df -k /dev/shm | grep -c ' 65536 '").output == "1\n");
  CHECK(say(*runner, overlay, "echo 1 > /dev/shm/x && cat /dev/shm/x").output == "1\n");
  CHECK(say(*runner, overlay, "hostname").output == "buildkitsandbox\n");
  CHECK(say(*runner, overlay, "touch /sys/x").outcome.exit_status != 0);
  CHECK(say(*runner, overlay, "echo x > /proc/sys/kernel/hostname").outcome.exit_status != 0);
  CHECK(say(*runner, overlay, "ls /sys/firmware; cat /proc/kcore").output.empty());
  CHECK(paths_below(overlay.upper).empty());
}

TEST_CASE("process 1 watches over the command, and cannot be looked into") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  CHECK(say(*runner, place.overlay(), "echo $$; cat /proc/1/comm").output == "2\ncairn-init\n");
  for (const std::string script :
       {"head -c1 /proc/1/environ", "head -c1 /proc/1/mem", "head -c1 /proc/1/maps",
        "readlink /proc/1/fd/0", "ls /proc/1/root/", "ls /proc/1/cwd/", "readlink /proc/1/exe"}) {
    CAPTURE(script);
    CHECK(say(*runner, place.overlay(), script).outcome.exit_status != 0);
  }
}

TEST_CASE("devices made by a command cannot be used") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  CHECK(say(*runner, place.overlay(), "mknod /zero c 1 5 && head -c1 /zero").output.empty());
  CHECK(say(*runner, place.directory(), "mknod /zero c 1 5 && head -c1 /zero").output.empty());
  CHECK(say(*runner, place.overlay(), "mknod /dev/z c 1 5 && head -c1 /dev/z").output.empty());
}

TEST_CASE("what a command leaves running is ended with it") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  Pipe alive = make_pipe();
  auto invocation = shell("(sleep 1000 &) ; (exec setsid sleep 1000 &) ; echo done");
  invocation.output = alive.write;
  runner->run(place.overlay(), invocation);
  alive.write.reset();
  CHECK(read_file(alive.read, 100) == "done\n");
}

TEST_CASE("orphans are reaped while the command runs") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  const auto said =
      say(*runner, place.overlay(),
          "for i in 1 2 3 4 5; do (true &) ; done; sleep 0.2; ps -o stat,comm | grep -c Z");
  CHECK(said.output == "0\n");
}

TEST_CASE("a signal reaches the command") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  Pipe ready = make_pipe();
  auto invocation = shell("trap 'echo caught; exit 3' TERM; echo ready; sleep 1000 & wait");
  invocation.output = ready.write;
  std::thread sender([&] {
    std::byte buffer[6];
    read_full(ready.read, buffer);
    runner->forward_signal(SIGTERM);
  });
  const auto outcome = runner->run(place.overlay(), invocation);
  sender.join();
  CHECK(outcome.exit_status == 3);
}

TEST_CASE("a command that does not end in time after a signal is killed") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place, std::chrono::milliseconds(50));
  Pipe ready = make_pipe();
  auto invocation = shell("trap '' TERM INT; echo ready; sleep 1000");
  invocation.output = ready.write;
  std::thread sender([&] {
    std::byte buffer[6];
    read_full(ready.read, buffer);
    runner->forward_signal(SIGINT);
  });
  const auto outcome = runner->run(place.overlay(), invocation);
  sender.join();
  CHECK(outcome.signal == SIGKILL);
}

TEST_CASE("without network there is a loopback interface only") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  auto invocation = shell("ip -o link | cut -d' ' -f2,3; ip -o addr | grep -c 127.0.0.1");
  invocation.argv[2] = "ip -o link | grep -c . ; ip -o addr | grep -c 127.0.0.1";
  invocation.network = CommandNetwork::none;
  CHECK(say(*runner, place.overlay(), invocation).output == "1\n1\n");
}

TEST_CASE("without network /sys shows the loopback interface only") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  auto invocation = shell("ls /sys/class/net && cat /sys/class/net/lo/mtu");
  invocation.network = CommandNetwork::none;
  CHECK(say(*runner, place.overlay(), invocation).output == "lo\n65536\n");
}

TEST_CASE("any user may open the standard streams, which cannot harm those of the executor") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  for (const uid_t uid : {0U, 1001U}) {
    auto invocation =
        shell("echo 1; echo 2 > /dev/stdout; echo 3 > /proc/self/fd/1; cat /dev/stdin");
    invocation.uid = uid;
    invocation.input = "4\n";
    CHECK(say(*runner, place.directory(), invocation).output == "1\n2\n3\n4\n");
  }
}

TEST_CASE("much output comes whole and in its order, also from what outlives the command") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  const auto said = say(*runner, place.directory(), "seq 100000; (while :; do :; done) & echo end");
  CHECK(said.output.size() == 588895 + 4);
  CHECK(said.output.ends_with("\n100000\nend\n"));
}

TEST_CASE("text on stdin is read by the command") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  auto invocation = shell("cat");
  invocation.input = "line\n";
  CHECK(say(*runner, place.overlay(), invocation).output == "line\n");
}

TEST_CASE("several commands run at the same time") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  auto runner = namespace_runner(place);
  std::vector<OverlayRoot> roots;
  roots.reserve(4);
  for (int i = 0; i < 4; ++i)
    roots.push_back(place.overlay());
  std::vector<std::string> said(roots.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < roots.size(); ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round)
        said[i] += say(*runner, roots[i], "cat /proc/1/comm").output;
    });
  for (auto& thread : threads)
    thread.join();
  for (const auto& text : said)
    CHECK(split(text, '\n').size() == 6);
}

TEST_CASE("nothing is left when the executor dies") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  Pipe alive = make_pipe();
  Pipe ready = make_pipe();
  const pid_t executor = ::fork();
  if (executor == 0) {
    auto invocation = shell("(sleep 1000 &) ; echo ready; sleep 1000");
    invocation.output = ready.write;
    invocation.errors = alive.write;
    namespace_runner(place)->run(place.overlay(), invocation);
    ::_exit(0);
  }
  alive.write.reset();
  std::byte buffer[6];
  read_full(ready.read, buffer);
  ::kill(executor, SIGKILL);
  CHECK(read_file(alive.read, 100).empty()); // Ends when the last process is gone.
}

} // namespace cairn
