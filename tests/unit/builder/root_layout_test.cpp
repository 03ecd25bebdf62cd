#include "builder/roots/root_layout.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cairn;

TEST_SUITE_BEGIN("builder/root_layout");

namespace {

RootedPath path_to(const char* path) {
  return RootedPath::parse(path);
}

MountEntry mount(const char* point, MountMode mode = MountMode::read_write) {
  return {path_to(point), "ext4", mode};
}

/// A pod as Kubernetes makes it, with these volumes besides, of which the empty ones are free.
ContainerSurvey pod(const std::vector<MountEntry>& volumes,
                    const std::vector<RootedPath>& empty = {}) {
  ContainerSurvey places;
  places.mounts = {{path_to("/"), "overlay", MountMode::read_write},
                   {path_to("/proc"), "proc", MountMode::read_write},
                   {path_to("/dev/shm"), "tmpfs", MountMode::read_write},
                   mount("/etc/hosts"),
                   mount("/dev/termination-log"),
                   mount("/run/secrets/kubernetes.io/serviceaccount", MountMode::read_only),
                   mount("/kaniko/work")};
  places.mounts.insert(places.mounts.end(), volumes.begin(), volumes.end());
  places.program = "/kaniko/executor";
  places.workspaces = {"/kaniko/build-1"};
  places.is_free = [empty](const RootedPath& path) {
    return std::find(empty.begin(), empty.end(), path) != empty.end();
  };
  places.is_large = [](const RootedPath& path) { return path == path_to("/huge"); };
  return places;
}

NamedPath named(NamedPath::Use use, const char* option, const char* path) {
  return {use, option, path};
}

bool reserves(const RootLayout& layout, const char* path) {
  return layout.reserved.covers(path_to(path));
}

} // namespace

TEST_CASE("in place, mounts, the runtime's files and the executor's own are reserved") {
  const auto layout = inplace_root_layout({}, pod({mount("/workspace")}));
  for (const char* path :
       {"/proc/1", "/dev/null", "/etc/hosts", "/etc/resolv.conf", "/kaniko/executor",
        "/workspace/app/x", "/run/secrets/kubernetes.io/serviceaccount/token"})
    CHECK_MESSAGE(reserves(layout, path), path);
  for (const char* path : {"/", "/etc", "/etc/passwd", "/run", "/run/secrets", "/kaniko2"})
    CHECK_MESSAGE(!reserves(layout, path), path);
}

TEST_CASE("in a root of its own only the kernel's file systems and --ignore-path are reserved") {
  ExecutionOptions options;
  options.ignore_paths = {"/var/cache"};
  const auto layout = private_root_layout(options);
  CHECK(reserves(layout, "/var/cache/apt"));
  CHECK(reserves(layout, "/sys/fs"));
  CHECK_FALSE(reserves(layout, "/kaniko"));
  CHECK_FALSE(reserves(layout, "/etc/resolv.conf"));
}

TEST_CASE("an empty volume is lent to the image, unless something that must stay is in it") {
  const auto lent = inplace_root_layout({}, pod({mount("/tmp")}, {path_to("/tmp")}));
  CHECK(lent.lent == std::vector{path_to("/tmp")});
  CHECK_FALSE(reserves(lent, "/tmp/x"));

  const auto nested = inplace_root_layout(
      {}, pod({mount("/volume"), mount("/volume/source")}, {path_to("/volume")}));
  CHECK(nested.lent.empty());
  CHECK(reserves(nested, "/volume/x"));

  auto with_output = pod({mount("/out")}, {path_to("/out")});
  with_output.named = {named(NamedPath::Use::written, "--digest-file", "/out/digest")};
  CHECK(inplace_root_layout({}, with_output).lent.empty());

  const auto read_only =
      inplace_root_layout({}, pod({mount("/ro", MountMode::read_only)}, {path_to("/ro")}));
  CHECK(read_only.lent.empty());

  const auto tekton =
      inplace_root_layout({}, pod({mount("/tekton/home")}, {path_to("/tekton/home")}));
  CHECK(tekton.lent.empty());
}

TEST_CASE("every path that an option names is reserved, and '/' is refused") {
  auto places = pod({});
  places.named = {named(NamedPath::Use::read, "--build-context", "/src/lib"),
                  named(NamedPath::Use::written, "--cache-repo", "/lcache/c")};
  const auto layout = inplace_root_layout({}, places);
  CHECK(reserves(layout, "/src/lib/a"));
  CHECK_FALSE(reserves(layout, "/src"));
  CHECK(reserves(layout, "/lcache/c/index.json"));
  CHECK_FALSE(layout.volatile_paths.covers(path_to("/src/lib/a")));
  CHECK(layout.volatile_paths.covers(path_to("/lcache/c/index.json")));

  places.named = {named(NamedPath::Use::read, "--context", "/")};
  CHECK_THROWS_WITH_AS(inplace_root_layout({}, places),
                       "--context: '/' cannot be kept: in place the container's own root becomes "
                       "the image's",
                       Error);
}

TEST_CASE("a volume that holds the context may change beside it, and nothing else may") {
  auto places = pod({mount("/agent"), mount("/data"), mount("/huge"), mount("/var/run/argo")});
  places.named = {named(NamedPath::Use::read, "--context", "/agent/workspace/job")};
  const auto layout = inplace_root_layout({}, places);
  CHECK(layout.is_beside_inputs(path_to("/agent/workspace/job@tmp/log")));
  CHECK_FALSE(layout.is_beside_inputs(path_to("/agent/workspace/job/src")));
  CHECK_FALSE(layout.is_beside_inputs(path_to("/data/x")));
  CHECK_FALSE(layout.volatile_paths.covers(path_to("/data/x")));
  CHECK(layout.volatile_paths.covers(path_to("/var/run/argo/ctr/main/combined")));
  CHECK(layout.volatile_paths.covers(path_to("/huge/x")));
  CHECK(layout.too_large == std::vector{path_to("/huge")});
}

TEST_CASE("a mount above the one that the context is does not count as its neighbour's") {
  auto places = pod({mount("/workspace"), mount("/workspace/source")}, {});
  places.named = {named(NamedPath::Use::read, "--context", "/workspace/source")};
  const auto layout = inplace_root_layout({}, places);
  CHECK_FALSE(layout.is_beside_inputs(path_to("/workspace/out.txt")));
}

TEST_SUITE_END();
