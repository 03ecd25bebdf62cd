#include "build/exclusions.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("build/exclusions");

namespace {

constexpr const char* mountinfo = "22 1 0:20 / / rw - overlay overlay rw\n"
                                  "23 22 0:21 / /proc rw - proc proc rw\n"
                                  "24 22 8:1 /x /etc/resolv.conf rw - ext4 /dev/sda rw\n"
                                  "25 22 8:1 /y /with\\040blank rw - ext4 /dev/sda rw\n";

bool excluded(const Exclusions& exclusions, const char* path) {
  return exclusions.covers(RootedPath::parse(path));
}

} // namespace

TEST_CASE("mount points are read from mountinfo, blanks and all") {
  const auto points = mount_points(mountinfo);
  REQUIRE(points.size() == 3);
  CHECK(points[2].str() == "/with blank");
}

TEST_CASE("in place, mount points and the executor's own paths are left alone") {
  const auto exclusions =
      exclusions_for(Rung::inplace, {}, {"/kaniko", "/workspace/app"}, mountinfo);
  for (const char* path : {"/proc/1", "/with blank", "/kaniko/executor", "/workspace/app/x",
                           "/etc/resolv.conf", "/dev/null"})
    CHECK(excluded(exclusions, path));
  for (const char* path : {"/", "/etc", "/etc/passwd", "/workspace", "/with", "/kaniko2"})
    CHECK_FALSE(excluded(exclusions, path));
}

TEST_CASE("in a root of its own only the kernel's file systems and --ignore-path are left out") {
  ExecutionOptions options;
  options.ignore_paths = {"/var/cache"};
  const auto exclusions = exclusions_for(Rung::namespace_overlay, options, {"/kaniko"}, mountinfo);
  CHECK(excluded(exclusions, "/var/cache/apt"));
  CHECK_FALSE(excluded(exclusions, "/kaniko"));
  CHECK_FALSE(excluded(exclusions, "/etc/resolv.conf"));
}

TEST_SUITE_END();
