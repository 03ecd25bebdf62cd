#include "../run/place.hpp"
#include "run/supervised_runner.hpp"
#include "supervised.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

namespace cairn {

namespace {

std::optional<std::string> cannot_run() {
  if (auto why = cannot_use_place())
    return why;
  return cannot_supervise();
}

/// A root with more of busybox than Place has.
struct Rooted : Place {
  Rooted() {
    for (const char* name : {"find", "ln", "seq", "sort", "tr", "stat", "mount", "su", "tail",
                             "chroot", "basename", "realpath", "cut", "dd", "mkfifo", "nohup"})
      if (!std::filesystem::exists(std::filesystem::symlink_status(layer() + "/bin/" + name)))
        std::filesystem::create_symlink("busybox", layer() + "/bin/" + name);
    make_directories(layer() + "/etc");
    make_directories(layer() + "/tmp");
    std::filesystem::create_symlink("../proc/self/mounts", layer() + "/etc/mtab");
    runner =
        std::make_unique<SupervisedRunner>(RunnerOptions{path(), std::chrono::milliseconds(500)});
  }
  Said say(const std::string& script) { return cairn::say(*runner, directory(), script); }
  Said say(Invocation invocation) {
    return cairn::say(*runner, directory(), std::move(invocation));
  }

  std::unique_ptr<SupervisedRunner> runner;
};

} // namespace

TEST_CASE("a supervised command runs in its root, and leaves there what it made and nothing else") {
  SKIP_IF(cannot_run());
  Rooted place;
  const auto before = paths_below(place.layer());
  const auto said = place.say("echo hello; echo oops >&2; echo text > /new; pwd; exit 3");
  CHECK(said.output == "hello\n/\n");
  CHECK(said.errors == "oops\n");
  CHECK(said.outcome.exit_status == 3);
  CHECK(::unlink((place.layer() + "/new").c_str()) == 0);
  CHECK(paths_below(place.layer()) == before);
}

TEST_CASE("a supervised command finds itself in /proc, by the paths that it knows") {
  SKIP_IF(cannot_run());
  Rooted place;
  struct {
    const char* script;
    const char* output;
  } const rows[] = {
      {"readlink /proc/self/exe", "/bin/busybox\n"},
      {"cd /tmp; readlink /proc/self/cwd; readlink /proc/self/root", "/tmp\n/\n"},
      {"read pid rest < /proc/self/stat; test $pid = $$ && echo same", "same\n"},
      {"test $(readlink /proc/self) != $$ && echo other", "other\n"},
      {"exec 5< /etc/mtab; cat <&5 | head -n 1", "overlay / overlay rw,relatime 0 0\n"},
      {"cat /proc/mounts | wc -l; cat /proc/self/mountinfo | cut -d' ' -f5",
       "5\n/\n/proc\n/sys\n/dev/pts\n/dev/shm\n"},
      {"for l in /etc/mtab /dev/stdin /dev/fd; do readlink $l; done",
       "../proc/self/mounts\n/proc/self/fd/0\n/proc/self/fd\n"},
      {"echo one > /dev/stdout; echo two > /proc/self/fd/1; echo three > /dev/fd/1",
       "one\ntwo\nthree\n"},
      {"echo text > /tmp/x; exec 6< /tmp/x; readlink /proc/self/fd/6; cat /dev/fd/6",
       "/tmp/x\ntext\n"},
      {"echo text > /tmp/x; cat /proc/self/root/tmp/x; cd /tmp; cat /proc/self/cwd/x",
       "text\ntext\n"},
      {"cd /proc/self && pwd | tr 0-9 N | tr -s N; cat comm; cd .. && pwd; cd .. && pwd; ls -d tmp",
       "/proc/self\nsh\n/proc\n/\ntmp\n"},
      {"cd /; read a < proc/self/comm; read b < ./proc/self/comm; read c < tmp/../proc/self/comm; "
       "echo $a $b $c",
       "sh sh sh\n"},
      {"ls /proc/self/task | wc -l; test -d /proc/self/ns && test -r /proc/meminfo && echo yes",
       "1\nyes\n"},
      {"/proc/self/exe 2>&1 || true", "exe: applet not found\n"},
      {"stat -c %F /proc/self /proc/self/ /proc /sys",
       "symbolic link\ndirectory\ndirectory\ndirectory\n"},
      {"stat -f -c %T /proc /sys; ls -l /proc/self/comm > /tmp/x && echo listed",
       "proc\nsysfs\nlisted\n"},
      {"head -c 3 /dev/zero | wc -c; echo gone > /dev/null; test -c /dev/null && echo device",
       "3\ndevice\n"},
      {"echo 1 > /dev/shm/x; cat /dev/shm/x; stat -c %a /dev/shm /dev", "1\n1777\n755\n"},
      {"hostname; cat /proc/sys/kernel/hostname; uname -n",
       "buildkitsandbox\nbuildkitsandbox\nbuildkitsandbox\n"},
      {"grep -c . /proc/self/status > /tmp/x && grep ^NoNewPrivs: /proc/self/status | tr -d '\\t'",
       "NoNewPrivs:0\n"},
      {"ls /sys/class/net | grep -c lo; cat /sys/class/net/lo/mtu", "1\n65536\n"},
      {"ls /dev", "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty"
                  "\nurandom\nzero\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    const auto said = place.say(row.script);
    CHECK(said.output == row.output);
    CHECK(said.errors == "");
  }
}

TEST_CASE(
    "a supervised command finds nothing of the executor, and changes nothing of the kernel's") {
  SKIP_IF(cannot_run());
  Rooted place;
  const auto outside = place.path() + "/outside";
  write_file(outside, "secret\n");
  const auto self = std::to_string(::getpid());
  const std::vector<std::string> scripts = {
      "ls -d /proc/" + self,
      "cat /proc/" + self + "/cmdline",
      "cat /proc/" + self + "/environ",
      "cd /proc && cat " + self + "/environ",
      "cd /proc && cat " + self + "/cmdline",
      "cd /proc && cat ./" + self + "/comm",
      "cd /proc && cd " + self,
      "cd /proc/self && cat ../" + self + "/comm",
      "cd /proc && exec 3< . && cat self/fd/3/.." + outside,
      "cd /proc && exec 3< . && stat self/fd/3/.." + outside,
      "cd /sys/class/net/lo && cat subsystem/../../.." + outside,
      "ls /proc/" + self + "/root/",
      "cd /proc && ls " + self + "/root/",
      "cat /proc/$PPID/environ",
      "cat /proc/self/../" + self + "/comm",
      "cat /proc/self/task/" + self + "/comm",
      "ls /proc/1/root/",
      "cat /proc/../../../.." + outside,
      "cd /proc && cat ../../.." + outside,
      "cat /proc/self/root/../.." + outside,
      "cd /proc/self/root && cat ../.." + outside,
      "ln -s /proc/" + self + "/environ /tmp/l; cat /proc/self/root/tmp/l; cat /tmp/l",
      "ln -s " + outside + " /tmp/o; cat /proc/self/root/tmp/o",
      "cd /proc && mkdir ../escaped",
      "cd /proc && echo x > ../escaped-file",
      ": >> /proc/sys/kernel/hostname",
      ": >> /sys/kernel/x",
      ": >> /proc/sysrq-trigger",
      "cat /proc/kcore",
      "touch /sys/x",
      "kill -0 " + self};
  for (const auto& script : scripts) {
    CAPTURE(script);
    const auto said = place.say(script);
    CHECK(said.output.find("secret") == std::string::npos);
    CHECK(said.outcome.exit_status != 0);
    std::filesystem::remove(place.layer() + "/tmp/l");
    std::filesystem::remove(place.layer() + "/tmp/o");
    std::filesystem::remove_all(place.layer() + "/escaped");
  }
  CHECK(!std::filesystem::exists("/escaped"));
  std::filesystem::remove(place.layer() + "/escaped-file");
  CHECK(!std::filesystem::exists("/escaped-file"));
}

TEST_CASE("a supervised command of another user is shown the same") {
  SKIP_IF(cannot_run());
  Rooted place;
  ::chmod(place.path().c_str(), 0755);
  ::chmod((place.layer() + "/tmp").c_str(), 01777);
  auto invocation = shell(
      "id -u; id -G; echo out > /dev/stdout; echo err > /dev/stderr; readlink /proc/self/exe; "
      "read name < /proc/self/comm; echo $name; cd /proc/self && cat comm; ls /proc/self/fd | wc "
      "-l; cat /dev/stdin");
  invocation.uid = 1001;
  invocation.gid = 100;
  invocation.groups = {100, 27};
  invocation.input = "in\n";
  const auto said = place.say(invocation);
  CHECK(said.output == "1001\n100 27\nout\n/bin/busybox\nsh\nsh\n4\nin\n");
  CHECK(said.errors == "err\n");
  invocation.argv[2] = "cat /proc/1/environ; cat /proc/$PPID/comm; echo x > /etc/x";
  CHECK(place.say(invocation).output.empty());
}

TEST_CASE("a supervised command that changes its user goes on seeing itself") {
  SKIP_IF(cannot_run());
  Rooted place;
  write_file(place.layer() + "/etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1001:1001::/:/bin/sh\n");
  const auto said = place.say(
      "su user -c 'id -u; read name < /proc/self/comm; echo $name; readlink /proc/self/exe'");
  CHECK(said.output == "1001\nsh\n/bin/busybox\n");
}

TEST_CASE("a supervised command of another user has no rights of root's, and sees none") {
  SKIP_IF(cannot_run());
  Rooted place;
  ::chmod(place.path().c_str(), 0755);
  write_file(place.layer() + "/closed", "root's\n");
  ::chmod((place.layer() + "/closed").c_str(), 0600);
  std::filesystem::copy(place.layer() + "/bin/busybox", place.layer() + "/hidden");
  ::chmod((place.layer() + "/hidden").c_str(), 0711);
  auto invocation = shell("grep -E '^(Cap|NoNew)' /proc/self/status | tr -d '\\t'");
  invocation.uid = 1001;
  invocation.gid = 1001;
  CHECK(place.say(invocation).output ==
        "CapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\n"
        "CapBnd:00000000a80425fb\nCapAmb:0000000000000000\nNoNewPrivs:0\n");
  for (const char* script : {"cat /closed", "sh -c 'sh -c \"cat /closed\"'", "/hidden cat /closed",
                             "cd /; echo x > made", "chroot / true", "mkfifo /bin/pipe",
                             "kill -0 1", "cat /proc/1/environ", "cat /proc/$PPID/environ"}) {
    CAPTURE(script);
    invocation.argv[2] = script;
    const auto said = place.say(invocation);
    CHECK(said.output == "");
    CHECK(said.outcome.exit_status != 0);
  }
}

TEST_CASE("a setuid program becomes root's for a supervised command of another user") {
  SKIP_IF(cannot_run());
  Rooted place;
  ::chmod(place.path().c_str(), 0755);
  const auto program = place.layer() + "/bin/change/busybox";
  make_directories(place.layer() + "/bin/change");
  std::filesystem::copy(place.layer() + "/bin/busybox", program);
  ::chmod(program.c_str(), 04755);
  const auto passwd = place.layer() + "/etc/passwd";
  const auto users = [&](const std::string& password) {
    write_file(passwd, "root:" + password + ":0:0::/:/bin/sh\nuser:x:1001:1001::/:/bin/sh\n");
  };
  auto invocation =
      shell("id -u; /bin/change/busybox su -c 'id -u; echo x > /made; stat -c %u /made; "
            "grep CapEff /proc/self/status; su user -c \"id -u\"'; id -u");
  invocation.uid = 1001;
  invocation.gid = 1001;
  users("");
  const auto said = place.say(invocation);
  CHECK(said.errors == "");
  CHECK(said.output == "1001\n0\n0\nCapEff:\t00000000a80425fb\n1001\n1001\n");
  // It knows who has called it.
  users("x");
  invocation.argv[2] = "/bin/change/busybox su -c 'id -u'";
  const auto refused = place.say(invocation);
  CHECK(refused.output.find("0\n") == std::string::npos);
  CHECK(refused.outcome.exit_status != 0);
  // From one program to the next.
  users("");
  invocation.argv[2] = "sh -c 'sh -c \"/bin/change/busybox su -c id\\ -u & wait\"'";
  CHECK(place.say(invocation).output == "0\n");
}

TEST_CASE("names, texts and mounts are there for one supervised command") {
  SKIP_IF(cannot_run());
  Rooted place;
  write_file(place.layer() + "/etc/hosts", "image\n");
  make_directories(place.path() + "/source/d");
  write_file(place.path() + "/source/d/f", "bound\n");
  auto invocation =
      shell("cat /etc/hosts /etc/resolv.conf /run/secrets/s /mnt/d/f; echo x > /t/x; "
            "echo lost > /etc/hosts; stat -c %a:%u /run/secrets/s; echo new > /mnt/d/g");
  invocation.hosts = "ours\n";
  invocation.resolv_conf = "names\n";
  invocation.mounts = {
      BindMount{place.path() + "/source", RootedPath::parse("/mnt"), MountAccess::read_write},
      TmpfsMount{RootedPath::parse("/t"), std::nullopt},
      FileMount{"secret\n", RootedPath::parse("/run/secrets/s"), 0400, 12, 0}};
  const auto before = paths_below(place.layer());
  const auto said = place.say(invocation);
  CHECK(said.output == "ours\nnames\nsecret\nbound\n400:12\n");
  CHECK(said.errors == "");
  CHECK(paths_below(place.layer()) == before);
  CHECK(read_file(current_directory(), place.layer() + "/etc/hosts", 100) == "image\n");
  CHECK(paths_below(place.path() + "/source") == "d/ d/f d/g");
}

#if defined(__x86_64__)
TEST_CASE("where a program is another architecture's the outcome says why it did not work") {
  SKIP_IF(cannot_run());
  Rooted place;
  // exit_group(0) of i386, and what follows where that is refused.
  constexpr unsigned char program[] = {
      0x7f, 'E',  'L', 'F', 1,    1,    1,    0,    0,    0,    0,    0,    0,    0,    0,    0,
      2,    0,    3,   0,   1,    0,    0,    0,    0x54, 0x80, 4,    8,    0x34, 0,    0,    0,
      0,    0,    0,   0,   0,    0,    0,    0,    0x34, 0,    0x20, 0,    1,    0,    0,    0,
      0,    0,    0,   0,   1,    0,    0,    0,    0,    0,    0,    0,    0,    0x80, 4,    8,
      0,    0x80, 4,   8,   0x60, 0,    0,    0,    0x60, 0,    0,    0,    5,    0,    0,    0,
      0,    0x10, 0,   0,   0x31, 0xdb, 0xb8, 0xfc, 0,    0,    0,    0xcd, 0x80, 0x0f, 0x0b, 0x90};
  write_file(place.layer() + "/old", {reinterpret_cast<const char*>(program), sizeof program});
  REQUIRE(::chmod((place.layer() + "/old").c_str(), 0755) == 0);
  const auto said = place.say("/old; echo $?");
  CHECK(said.output == "132\n");
  CHECK(said.outcome.hint.find("another architecture") != std::string::npos);
  CHECK(place.say("true").outcome.hint == "");
}
#endif

TEST_CASE("what is mounted read-only stays as it is, and a supervised command is told so") {
  SKIP_IF(cannot_run());
  Rooted place;
  make_directories(place.path() + "/source/d");
  write_file(place.path() + "/source/f", "bound\n");
  write_file(place.path() + "/source/d/g", "deep\n");
  auto invocation =
      shell("say() { \"$@\" 2>&1 || true; }\n"
            "cd /mnt\n"
            "(: > f) 2>&1; (: > new) 2>&1; (: >> d/g) 2>&1\n"
            "say mkdir e; say mkdir d; say rm f; say rm -f missing; say rmdir d\n"
            "say mv f /tmp/f; say mv /etc/own .; say mv f g; say mv f /mnt/d/f\n"
            "say ln f /tmp/h; say ln /etc/own h; say ln -s f s; say mkfifo p\n"
            "say chmod 0 f; say chown 1:1 d; say touch f; say touch new\n"
            "say truncate -s 0 f; say rmdir /mnt\n"
            "cd /tmp; ln -s ../mnt/d l; (: > l/g) 2>&1\n"
            "cd /; mv /mnt/f /etc 2>&1; (: > /proc/self/root/mnt/f) 2>&1\n"
            "exec 3< /mnt/f; (: > /dev/fd/3) 2>&1; cat /mnt/f /mnt/d/g; ls /mnt /tmp\n"
            "echo free > /tmp/l2; mv /tmp/l2 /etc/own; cat /etc/own");
  write_file(place.layer() + "/etc/own", "own\n");
  invocation.mounts = {
      BindMount{place.path() + "/source", RootedPath::parse("/mnt"), MountAccess::read_only}};
  const auto said = place.say(invocation);
  CHECK(said.errors == "");
  CHECK(said.output == "/bin/sh: can't create f: Read-only file system\n"
                       "/bin/sh: can't create new: Read-only file system\n"
                       "/bin/sh: can't create d/g: Read-only file system\n"
                       "mkdir: can't create directory 'e': Read-only file system\n"
                       "mkdir: can't create directory 'd': File exists\n"
                       "rm: can't remove 'f': Read-only file system\n"
                       "rmdir: 'd': Read-only file system\n"
                       "mv: can't remove 'f': Read-only file system\n"
                       "mv: can't create './own': Read-only file system\n"
                       "mv: can't rename 'f': Read-only file system\n"
                       "mv: can't rename 'f': Read-only file system\n"
                       "ln: /tmp/h: Invalid cross-device link\n"
                       "ln: h: Invalid cross-device link\n"
                       "ln: s: Read-only file system\n"
                       "mkfifo: p: Read-only file system\n"
                       "chmod: f: Read-only file system\n"
                       "chown: d: Read-only file system\n"
                       "touch: f: Read-only file system\n"
                       "touch: new: Read-only file system\n"
                       "truncate: f: open: Read-only file system\n"
                       "rmdir: '/mnt': Device or resource busy\n"
                       "/bin/sh: can't create l/g: Read-only file system\n"
                       "mv: can't remove '/mnt/f': Read-only file system\n"
                       "/bin/sh: can't create /proc/self/root/mnt/f: Read-only file system\n"
                       "/bin/sh: can't create /dev/fd/3: Read-only file system\n"
                       "bound\ndeep\n/mnt:\nd\nf\n\n/tmp:\nf\nl\nfree\n");
  CHECK(paths_below(place.path() + "/source") == "d/ d/g f");
}

TEST_CASE("what leads out of the root from /proc changes what is inside") {
  SKIP_IF(cannot_run());
  Rooted place;
  write_file(place.layer() + "/tmp/inside", "text\n");
  const TempDir outside("/tmp");
  write_file(outside.path() + "/outside", "text\n");
  const auto path = outside.path() + "/outside";
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  const auto said =
      place.say("cd /proc; chmod 0777 .." + path + "; touch -d @1 .." + path + "; rm .." + path +
                "; mkdir ../tmp/new; chmod 0751 ../tmp/inside; touch -d @7 ../tmp/inside; "
                "mkdir self 2>&1; cd /; stat -c '%a %Y' /tmp/inside; ls /tmp");
  CHECK(said.output == "mkdir: can't create directory 'self': File exists\n751 7\ninside\n");
  CHECK(said.errors ==
        fmt::format("chmod: ..{0}: No such file or directory\n"
                    "touch: ..{0}: No such file or directory\n"
                    "rm: can't remove '..{0}': No such file or directory\n"
                    "mkdir: can't create directory '../tmp/new': Permission denied\n",
                    path));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(info.st_mtime > 1000);
}

TEST_CASE("what is written to a link to the own output arrives, wherever the link is") {
  SKIP_IF(cannot_run());
  Rooted place;
  make_directories(place.layer() + "/var/log");
  std::filesystem::create_symlink("/dev/stderr", place.layer() + "/var/log/errors");
  const auto said = place.say("ln -s /dev/stdout /var/log/out; cd /var/log; echo logged > out; "
                              "echo wrong >> errors; test -p out || echo no pipe");
  CHECK(said.output == "logged\n");
  CHECK(said.errors == "wrong\n");
}

TEST_CASE("what a supervised command writes to can be given to another user") {
  SKIP_IF(cannot_run());
  Rooted place;
  const auto said = place.say("chown 12:13 /dev/stdout && chmod 0666 /dev/stderr && "
                              "stat -L -c '%u:%g' /dev/stdout; stat -L -c %a /dev/stderr; "
                              "chmod 0 /proc/version 2>&1; chown 1 /proc/self/mounts 2>&1");
  CHECK(said.output == "12:13\n666\nchmod: /proc/version: Read-only file system\n"
                       "chown: /proc/self/mounts: Read-only file system\n");
  CHECK(said.errors == "");
}

TEST_CASE("a supervised program that cannot be started is told apart by its status") {
  SKIP_IF(cannot_run());
  Rooted place;
  write_file(place.layer() + "/bin/plain", "not executable\n");
  write_file(place.layer() + "/bin/orphan", "#!/no/such/interpreter\n");
  ::chmod((place.layer() + "/bin/orphan").c_str(), 0755);
  struct {
    const char* program;
    int status;
    const char* message;
  } const rows[] = {
      {"foo", 127, "exec: \"foo\": executable file not found in $PATH"},
      {"/bin/plain", 126, "exec: \"/bin/plain\": permission denied"},
      {"orphan", 127, "exec: \"orphan\": its interpreter does not exist"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.program);
    Invocation invocation = shell("");
    invocation.argv = {row.program};
    const auto outcome = place.say(invocation).outcome;
    CHECK(outcome.exit_status == row.status);
    CHECK(outcome.not_started.value_or("it started") == row.message);
  }
}

TEST_CASE("what a supervised command leaves running is ended with it") {
  SKIP_IF(cannot_run());
  Rooted place;
  for (const char* script :
       {"sleep 1000 & echo done",
        "(setsid sh -c '(setsid sleep 1000 &) ; sleep 1000' &) ; sleep 0.1; echo done"}) {
    CAPTURE(script);
    Pipe alive = make_pipe();
    auto invocation = shell(script);
    invocation.output = alive.write;
    place.runner->run(place.directory(), invocation);
    alive.write.reset();
    CHECK(read_file(alive.read, 100) == "done\n");
  }
}

TEST_CASE("a signal reaches a supervised command, and one that does not end is killed") {
  SKIP_IF(cannot_run());
  Rooted place;
  struct {
    const char* script;
    int status;
  } const rows[] = {{"trap 'exit 3' TERM; echo ready; sleep 1000 & wait", 3},
                    {"echo ready; while :; do : < /proc/self/comm; cd /proc; cd /; done", 143},
                    {"echo ready; sleep 1000; true", 143},
                    {"trap '' TERM; echo ready; (setsid sleep 1000 &) ; sleep 1000", 137}};
  for (const auto& row : rows) {
    CAPTURE(row.script);
    Pipe ready = make_pipe();
    auto invocation = shell(row.script);
    invocation.output = ready.write;
    std::thread sender([&] {
      std::byte buffer[6];
      read_full(ready.read, buffer);
      place.runner->forward_signal(SIGTERM);
    });
    const auto outcome = place.runner->run(place.directory(), invocation);
    sender.join();
    CHECK(outcome.exit_status == row.status);
  }
}

TEST_CASE("a supervised command whose calls can no longer be answered is ended, and an error") {
  SKIP_IF(cannot_run());
  Rooted place;
  Pipe ready = make_pipe();
  Pipe alive = make_pipe();
  auto invocation = shell("(setsid sleep 1000 &) ; echo ready; exec 2> /dev/null; while :; do cat "
                          "/proc/mounts > /dev/null; done");
  invocation.output = ready.write;
  invocation.errors = alive.write;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  // What mounts say is a file in memory, for which there is no room then.
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  std::thread limiter([&] {
    std::byte buffer[6];
    read_full(ready.read, buffer);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  });
  CHECK_THROWS_WITH_AS(place.runner->run(place.directory(), invocation),
                       "supervise the command: write: File too large", Error);
  limiter.join();
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  alive.write.reset();
  (void)read_file(alive.read, 1 << 20); // Ends when the last process is gone.
}

TEST_CASE("nothing of a supervised command is left when the executor dies") {
  SKIP_IF(cannot_run());
  Rooted place;
  Pipe alive = make_pipe();
  Pipe ready = make_pipe();
  const pid_t executor = ::fork();
  if (executor == 0) {
    auto invocation = shell("(setsid sleep 1000 &) ; echo ready; sleep 1000");
    invocation.output = ready.write;
    invocation.errors = alive.write;
    place.runner->run(place.directory(), invocation);
    ::_exit(0);
  }
  alive.write.reset();
  std::byte buffer[6];
  read_full(ready.read, buffer);
  ::kill(executor, SIGKILL);
  CHECK(read_file(alive.read, 100).empty()); // Ends when the last process is gone.
}

TEST_CASE("many supervised commands run at the same time") {
  SKIP_IF(cannot_run());
  Rooted places[8];
  std::string said[std::size(places)];
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::size(places); ++i)
      threads.emplace_back([&place = places[i], &text = said[i]] {
        for (int round = 0; round < 4; ++round)
          text += place
                      .say("cd /tmp; for i in 1 2 3 4 5; do cat /proc/self/comm; done; readlink "
                           "/proc/self/cwd")
                      .output;
      });
  }
  for (const auto& text : said)
    CHECK(split(text, '\n').size() == 25);
}

TEST_CASE("what a supervised command cannot have is an error") {
  Place place;
  SupervisedRunner runner({place.path(), {}});
  auto invocation = shell("true");
  CHECK_THROWS_AS(runner.run(InPlaceRoot{}, invocation), Error);
  invocation.network = CommandNetwork::none;
  CHECK_THROWS_AS(runner.run(place.directory(), invocation), Error);
}

} // namespace cairn
