#include "builder/cache/cache_mounts.hpp"
#include "builder/store/cache_trim.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/progress.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

using namespace cairn;

namespace {

/// The mounts of a --cache-dir, and those of a build as second choice.
struct Places {
  TempDir directory{"/tmp"};
  SilentProgress progress;
  unsigned filled = 0;

  std::string kept() const { return directory.path() + "/mounts"; }
  std::string own() const { return directory.path() + "/own"; }

  CacheMounts mounts() {
    return {{{kept(), CacheMounts::Place::Lasts::yes}, {own(), CacheMounts::Place::Lasts::no}},
            progress};
  }
  CacheMounts::Lease take(const CacheMounts& mounts, instruction::CacheSharing sharing) {
    CachePlan plan;
    plan.id = "id";
    plan.from = EmptyFilesystem{};
    plan.sharing = sharing;
    return mounts.take(
        plan, "nothing", [this](const std::string&) { ++filled; }, [] { return false; });
  }
};

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

const Time now = from_unix(2'000'000'000);
constexpr auto all_kinds = {instruction::CacheSharing::shared, instruction::CacheSharing::locked,
                            instruction::CacheSharing::private_copy};

} // namespace

TEST_CASE("a cache mount that is in use is not removed, whatever has become of its lock files") {
  for (const auto sharing : all_kinds) {
    Places places;
    const auto mounts = places.mounts();
    std::optional<CacheMounts::Lease> lease(places.take(mounts, sharing));
    // Who makes room may have looked for them before they were there.
    const auto entry = lease->path.substr(0, lease->path.rfind('/'));
    for (const auto* name : {"/lock", "/0.lock"})
      REQUIRE(::unlink((entry + name).c_str()) == 0);
    CHECK(trim_cache(places.directory.path(), 1, now).removed == 0);
    CHECK(exists(lease->path));
    lease.reset();
    CHECK(trim_cache(places.directory.path(), 1, now).removed == 1);
  }
}

TEST_CASE("every instance of a private cache mount is in use by itself") {
  Places places;
  const auto mounts = places.mounts();
  const auto first = places.take(mounts, instruction::CacheSharing::private_copy);
  std::optional<CacheMounts::Lease> second(
      places.take(mounts, instruction::CacheSharing::private_copy));
  CHECK(first.path != second->path);
  second.reset();
  CHECK(trim_cache(places.directory.path(), 1, now).removed == 0);
  CHECK(exists(first.path));
}

TEST_CASE("where cache mounts cannot be kept those of the build are used") {
  Places places;
  { const auto in_the_way = open_at(places.directory.fd(), "mounts", O_WRONLY | O_CREAT, 0644); }
  const auto mounts = places.mounts();
  const auto lease = places.take(mounts, instruction::CacheSharing::shared);
  CHECK(lease.path.starts_with(places.own()));
  CHECK(places.take(mounts, instruction::CacheSharing::shared).path == lease.path);
  CHECK(places.filled == 1);
}

TEST_CASE("an instance is marked as long as it may not be on the disk") {
  Places places;
  std::string mark;
  {
    const auto mounts = places.mounts();
    const auto lease = places.take(mounts, instruction::CacheSharing::shared);
    mark = lease.path + ".boot";
    CHECK(exists(mark));
  }
  CHECK_FALSE(exists(mark));
}

TEST_CASE(
    "an instance that a machine was using when it went down begins anew, unless it is in use") {
  for (const auto sharing : all_kinds) {
    Places places;
    std::string path;
    {
      const auto mounts = places.mounts();
      path = places.take(mounts, sharing).path;
    }
    const auto mark_as_left = [&] {
      const auto file = open_at(current_directory(), path + ".boot", O_WRONLY | O_CREAT, 0644);
      write_all(file, std::as_bytes(std::span(std::string_view("another one\n"))));
    };
    make_directories(path + "/content");
    mark_as_left();
    const auto mounts = places.mounts();
    const auto lease = places.take(mounts, sharing);
    CHECK(lease.path == path);
    CHECK_FALSE(exists(path + "/content"));
    CHECK(places.filled == 2);
    if (sharing != instruction::CacheSharing::shared)
      continue;
    REQUIRE(::unlink((path + ".boot").c_str()) == 0);
    mark_as_left();
    make_directories(path + "/content");
    CHECK(places.take(mounts, sharing).path == path);
    CHECK(exists(path + "/content"));
  }
}
