#include "builder/roots/mount_table.hpp"
#include "builder/roots/reserved_paths.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("builder/reserved_paths");

namespace {

RootedPath at(const char* path) {
  return RootedPath::parse(path);
}

} // namespace

TEST_CASE("mounts are read from mountinfo: blanks, types, and both ways to be read-only") {
  const auto mounts = parse_mount_table("22 1 0:20 / / rw - overlay overlay rw\n"
                                        "23 22 0:21 / /proc rw shared:3 master:1 - proc proc rw\n"
                                        "24 22 8:1 /x /token ro,relatime - tmpfs tmpfs rw\n"
                                        "25 22 8:1 /y /disk rw - ext4 /dev/sda ro,errors=panic\n"
                                        "26 22 8:1 /y /with\\040blank rw - ext4 /dev/sda rw\n"
                                        "cut off - \n");
  REQUIRE(mounts.size() == 5);
  CHECK(mounts[0].point.is_root());
  CHECK(mounts[1].type == "proc");
  CHECK(mounts[1].mode == MountMode::read_write);
  CHECK(mounts[2].mode == MountMode::read_only);
  CHECK(mounts[3].mode == MountMode::read_only);
  CHECK(mounts[4].point == at("/with blank"));
  CHECK(mounts[4].mode == MountMode::read_write);
}

TEST_CASE("a reserved path covers what lies below it, and is found from what lies above it") {
  ReservedPaths paths;
  paths.add({at("/run/secrets/token"), PathOwner::mount, {}});
  paths.add({at("/kaniko"), PathOwner::executor, {}});
  REQUIRE(paths.covering(at("/kaniko/executor")) != nullptr);
  CHECK(paths.covering(at("/kaniko/executor"))->path == at("/kaniko"));
  CHECK(paths.covering(at("/kaniko2")) == nullptr);
  CHECK(paths.covering(at("/run/secrets")) == nullptr);
  REQUIRE(paths.inside(at("/run")) != nullptr);
  CHECK(paths.inside(at("/run"))->path == at("/run/secrets/token"));
  CHECK(paths.inside(at("/run/secrets/token")) == nullptr);
  CHECK(paths.inside(at("/var")) == nullptr);
}

TEST_CASE("of reserved paths inside each other the outer one counts, of equal ones the first") {
  ReservedPaths paths;
  paths.add({at("/data/a"), PathOwner::mount, {}});
  paths.add({at("/data/a/b"), PathOwner::option, "--context"});
  paths.add({at("/data/a"), PathOwner::option, "--context"});
  REQUIRE(paths.all().size() == 1);
  CHECK(paths.all().front().owner == PathOwner::mount);
  paths.add({at("/data"), PathOwner::option, "--tar-path"});
  REQUIRE(paths.all().size() == 1);
  CHECK(paths.all().front().description() == "'/data' of --tar-path");
  paths.add({at("/"), PathOwner::mount, {}});
  CHECK(paths.all().size() == 1);
}

TEST_SUITE_END();
