#include "util/cpus.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("util/cpus");

namespace {

/// A machine whose control groups say what a test wants.
struct Machine {
  void write(const std::string& path, const std::string& text) {
    const auto whole = directory.path() + path;
    make_directories(whole.substr(0, whole.rfind('/')));
    AtomicFile file(whole);
    file.write(text);
    file.commit();
  }
  std::size_t cpus() const { return usable_cpus(directory.path()); }

  TempDir directory{"/tmp"};
};

} // namespace

TEST_CASE_FIXTURE(Machine, "without control groups there are the CPUs that a process may run on") {
  CHECK(cpus() >= 1);
  CHECK(cpus() == usable_cpus(directory.path() + "/nowhere"));
}

TEST_CASE_FIXTURE(Machine, "a quota of the container's group is rounded up") {
  write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  CHECK(cpus() == 1);
}

TEST_CASE_FIXTURE(Machine, "max is no quota") {
  const auto all = cpus();
  write("/sys/fs/cgroup/cpu.max", "max 100000\n");
  CHECK(cpus() == all);
}

TEST_CASE_FIXTURE(Machine, "the smallest quota of all groups above counts") {
  write("/proc/self/cgroup", "0::/kubepods/pod1/c1\n");
  write("/sys/fs/cgroup/kubepods/pod1/c1/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/kubepods/pod1/cpu.max", "100000 100000\n");
  CHECK(cpus() == 1);
}

TEST_CASE_FIXTURE(Machine, "control groups of version 1 count, too") {
  write("/proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a\n");
  write("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n");
  write("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK(cpus() == 1);
}

TEST_CASE_FIXTURE(Machine, "-1 is no quota, and nonsense is none either") {
  const auto all = cpus();
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(cpus() == all);
  write("/sys/fs/cgroup/cpu.max", "many few\n");
  write("/proc/self/cgroup", "0::no path\n");
  CHECK(cpus() == all);
}

TEST_SUITE_END();
