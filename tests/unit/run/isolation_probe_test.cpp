#include "place.hpp"
#include "run/container.hpp"
#include "run/fake_runner.hpp"
#include "run/process/capabilities.hpp"
#include "run/process/user_namespace.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

namespace cairn {

namespace {

std::string climb(const IsolationProbe& probe) {
  auto lines = probe.explanation();
  lines.insert(lines.begin(), std::string(isolation_mode_name(probe.mode)));
  return join(lines, "\n");
}

/// Leaves the calling process a /proc with a part masked, as containers have it, and no other.
void mask_proc() {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("/dev/null", "/proc/version", nullptr, MS_BIND, nullptr) != 0)
    throw SysError(errno, "mask /proc");
  const auto mounts = read_file(current_directory(), "/proc/self/mounts", 1 << 20);
  for (const auto& line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() > 2 && fields[2] == "proc" && fields[1] != "/proc")
      ::umount2(std::string(fields[1]).c_str(), MNT_DETACH);
  }
}

std::optional<std::string> lacks_admin() {
  if ((effective_capabilities() & capability(CAP_SYS_ADMIN)) == 0)
    return "needs CAP_SYS_ADMIN";
  return std::nullopt;
}

} // namespace

TEST_CASE("a container is recognised by its marks") {
  struct {
    const char* file;
    const char* text;
    const char* variable;
    bool is_container;
    const char* reason;
  } const rows[] = {
      {"etc/hostname", "", "HOME=/root", false, "nothing special"},
      {".dockerenv", "", "", true, "Docker"},
      {"run/.containerenv", "", "", true, "Podman"},
      {"var/run/secrets/kubernetes.io/serviceaccount/token", "", "", true, "Kubernetes"},
      {"__runsc_containers__", "", "", true, "gVisor"},
      {"etc/hostname", "", "KUBERNETES_SERVICE_HOST=10.0.0.1", true, "Kubernetes, no account"},
      {"etc/hostname", "", "container=oci", true, "systemd's convention"},
      {"etc/hostname", "", "container=", false, "empty"},
      {"proc/self/cgroup", "4:memory:/kubepods/besteffort/pod1\n", "", true, "cgroup v1"},
      {"proc/self/cgroup", "0::/\n", "", false, "cgroup v2 says nothing"},
      {"proc/self/mounts", "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n", "", true,
       "overlay"},
      {"proc/self/mounts", "/dev/vda / ext4 rw 0 0\noverlay /x overlay rw 0 0\n", "", false,
       "an overlay elsewhere"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    const TempDir root("/tmp");
    make_directories(std::filesystem::path(root.path() + "/" + row.file).parent_path().string());
    write_file(root.path() + "/" + row.file, row.text);
    CHECK(container_evidence(root.fd(), {row.variable}).has_value() == row.is_container);
  }
}

TEST_CASE("a map of ids is repeated as it is seen from inside") {
  CHECK(identity_map("         0          0 4294967295\n") == "0 0 4294967295\n");
  CHECK(identity_map("0 100000 65536\n65536 500 1\n") == "0 0 65536\n65536 65536 1\n");
  CHECK_THROWS_AS(identity_map(""), Error);
  CHECK_THROWS_AS(identity_map("0 x 1\n"), Error);
}

TEST_CASE("the fake remembers what it was asked") {
  FakeRunner runner([](const CommandRoot&, const Invocation& invocation) {
    Outcome outcome;
    outcome.exit_status = invocation.argv.back() == "false" ? 1 : 0;
    return outcome;
  });
  CHECK(runner.run(InPlaceRoot{}, shell("true")).succeeded());
  CHECK(!runner.run(InPlaceRoot{}, shell("false")).succeeded());
  REQUIRE(runner.seen().size() == 2);
  CHECK(runner.seen()[1].argv.back() == "false");
}

TEST_CASE("namespaces and an overlay are the best mode") {
  SKIP_IF(cannot_use_namespaces());
  const TempDir work("/tmp");
  CHECK(climb(probe_isolation({Isolation::automatic, work.path(), Force::no, {}})) ==
        "namespace with overlay");
  CHECK(paths_below(work.path()).empty());
}

TEST_CASE("a work directory that is an overlay itself gives a directory as root") {
  SKIP_IF(cannot_use_namespaces());
  SKIP_IF(lacks_admin());
  const auto said = in_child([] {
    const TempDir home("/tmp");
    for (const char* name : {"/lower", "/upper", "/work", "/merged"})
      make_directories(home.path() + name);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr))
      throw SysError(errno, "unshare");
    const auto merged = home.path() + "/merged";
    const auto options =
        fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", home.path());
    if (::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()) != 0)
      throw SysError(errno, "mount");
    auto text = climb(probe_isolation({Isolation::automatic, merged, Force::no, {}}));
    ::umount2(merged.c_str(), MNT_DETACH);
    return text;
  });
  CHECK(said == "namespace with directory\n"
                "namespace with overlay: mount overlay: Invalid argument (the work directory must "
                "be on a volume, not on the container's own overlay)");
}

TEST_CASE("with the capabilities of a container a user namespace is used, and all works in it") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/opt/x");
  const auto root = place.overlay();
  const auto said = in_child([&] {
    keep_capabilities(container_capabilities);
    const auto probe = probe_isolation({Isolation::namespaces, place.path(), Force::no, {}});
    const auto runner = make_runner(probe, {place.path(), std::chrono::seconds(10)});
    auto invocation = shell("grep CapEff /proc/self/status; cat /etc/hosts; echo $$; hostname; "
                            "touch /f && chown 1000:65534 /f && stat -c %u:%g /f; ls /dev/pts; "
                            "rm -r /opt; mkdir /opt; echo 1 > /proc/sys/kernel/panic; "
                            "cat /proc/1/environ; ls /proc/self/fd; echo x > /dev/null");
    invocation.hosts = "ours\n";
    const auto first = say(*runner, root, invocation);
    invocation = shell("id -u; id -G");
    invocation.uid = 33;
    invocation.groups = {33, 4};
    invocation.network = CommandNetwork::none;
    return climb(probe) + "\n" + first.output + say(*runner, root, invocation).output;
  });
  CHECK(said == "namespace with overlay\nCapEff:\t00000000a80425fb\nours\n2\nbuildkitsandbox\n"
                "1000:65534\nptmx\n0\n1\n2\n3\n33\n0 4 33\n");
  CHECK(paths_below(root.upper) == "f opt/");
}

TEST_CASE("where /proc is masked, ids of processes are shared and all processes are ended still") {
  SKIP_IF(cannot_use_namespaces());
  SKIP_IF(lacks_admin());
  Place place;
  const auto root = place.overlay();
  const auto said = in_child([&] {
    mask_proc();
    keep_capabilities(container_capabilities);
    const auto probe = probe_isolation({Isolation::namespaces, place.path(), Force::no, {}});
    const auto runner = make_runner(probe, {place.path(), std::chrono::milliseconds(50)});
    auto text = climb(probe) + "\n";
    text +=
        say(*runner, root, "read pid rest < /proc/self/stat; test $pid = $$ && echo same").output;
    text += say(*runner, root, "cat /proc/version; echo x > /proc/sys/kernel/hostname").output;
    const auto script = fmt::format("cat /proc/{}/environ /proc/$PPID/environ", ::getpid());
    text += say(*runner, root, script).output;

    Pipe alive = make_pipe();
    auto invocation = shell("trap '' TERM; (setsid sleep 1000 &) ; echo ready; sleep 1000");
    invocation.output = alive.write;
    std::thread sender([&] {
      std::byte buffer[6];
      read_full(alive.read, buffer);
      runner->forward_signal(SIGTERM);
    });
    const auto outcome = runner->run(root, invocation);
    sender.join();
    alive.write.reset();
    return text + fmt::format("{}\n", outcome.exit_status) + read_file(alive.read, 100);
  });
  CHECK(said == "namespace with overlay\nsame\n137\n");
  CHECK(paths_below(root.upper).empty());
}

TEST_CASE("without a way into namespaces commands are supervised, otherwise they run in place") {
  SKIP_IF(cannot_use_namespaces());
  struct {
    CapabilitySet kept;
    Force force;
    const char* variable;
    std::string last;
  } const rows[] = {
      {supervised_capabilities, Force::no, "container=oci", "supervised"},
      {supervised_capabilities, Force::no, "", "supervised"},
      {inplace_capabilities, Force::no, "container=oci", "in place"},
      {inplace_capabilities, Force::yes, "", "in place"},
      {inplace_capabilities & ~capability(CAP_SETUID), Force::no, "container=oci",
       "in place: CAP_SETUID missing"},
      {0, Force::no, "container=oci",
       "in place: CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_SETGID, CAP_SETUID missing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.last);
    const TempDir work("/tmp");
    const auto said = in_child([&] {
      // Without CAP_SETFCAP the host's root cannot be mapped; older kernels do not care.
      keep_capabilities(row.kept);
      const ProbeRequest request{Isolation::automatic, work.path(), row.force, {row.variable}};
      const auto probe = probe_isolation(request);
      return probe.mode != IsolationMode::none ? std::string(isolation_mode_name(probe.mode))
                                               : probe.explanation().back();
    });
    CHECK(said == row.last);
  }
}

TEST_CASE("the container's own root is left alone when that is asked for") {
  const TempDir work("/tmp");
  const auto said = in_child([&] {
    keep_capabilities(inplace_capabilities);
    return climb(
        probe_isolation({Isolation::not_in_place, work.path(), Force::yes, {"container=oci"}}));
  });
  CHECK(said.starts_with("none\n"));
  CHECK(said.ends_with("supervised: CAP_SYS_CHROOT missing"));
}

TEST_CASE("an ordinary user without capabilities runs nothing, and learns why") {
  SKIP_IF(cannot_use_namespaces());
  const TempDir work("/tmp");
  ::chown(work.path().c_str(), 1000, 1000);
  const auto said = in_child([&] {
    if (::setgid(1000) != 0 || ::setuid(1000) != 0)
      throw SysError(errno, "setuid");
    const auto probe =
        probe_isolation({Isolation::automatic, work.path(), Force::no, {"container=oci"}});
    try {
      make_runner(probe, {work.path(), {}})->run(InPlaceRoot{}, shell("true"));
    } catch (const Error& error) {
      return std::string(error.what()) + "\n" + error.detail();
    }
    return std::string("it ran");
  });
  CHECK(said.find("no command can be run here\nnamespace with overlay: ") == 0);
  CHECK(said.find("in place: the executor runs as user 1000, not as root") != std::string::npos);
}

TEST_CASE("a supervised root is had by root with the capabilities of a container") {
  SKIP_IF(cannot_use_place());
  struct {
    CapabilitySet kept;
    const char* said;
  } const rows[] = {
      {container_capabilities, "supervised"},
      {container_capabilities & ~capability(CAP_SYS_CHROOT),
       "none\nsupervised: CAP_SYS_CHROOT missing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.said);
    Place place;
    const auto said = in_child([&] {
      keep_capabilities(row.kept);
      const auto probe = probe_isolation({Isolation::supervised, place.path(), Force::no, {}});
      if (probe.mode == IsolationMode::supervised) {
        const auto runner = make_runner(probe, {place.path(), std::chrono::seconds(10)});
        CHECK(say(*runner, place.directory(), "readlink /proc/self/exe").output ==
              "/bin/busybox\n");
      }
      return climb(probe);
    });
    CHECK(said == row.said);
  }
}

TEST_CASE("what was not asked for is not tried") {
  const TempDir work("/tmp");
  const auto probe = probe_isolation({Isolation::none, work.path(), Force::yes, {}});
  CHECK(probe.mode == IsolationMode::none);
  CHECK(probe.refused.empty());
  CHECK(probe_isolation({Isolation::inplace, work.path(), Force::yes, {}}).mode !=
        IsolationMode::namespace_overlay);
}

} // namespace cairn
