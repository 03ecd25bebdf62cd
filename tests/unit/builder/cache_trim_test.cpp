#include "builder/store/cache_directory.hpp"
#include "builder/store/cache_trim.hpp"
#include "util/cache_locks.hpp"
#include "util/file.hpp"
#include "util/progress.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

using namespace cairn;

namespace {

constexpr std::uint64_t size = 64 << 10;
const Time trim_time = from_unix(2'000'000'000);

/// A cache directory whose entries take 64 KiB each.
struct Cache {
  TempDir directory{"/tmp"};
  SilentProgress progress;
  CacheDirectory cache{directory.path(), progress};

  std::string path(const std::string& name) const { return directory.path() + "/" + name; }
  bool has(const std::string& name) const { return ::access(path(name).c_str(), F_OK) == 0; }

  void add(const std::string& name, std::int64_t used) const {
    if (const auto slash = name.rfind('/'); slash != std::string::npos)
      make_directories(path(name.substr(0, slash)));
    AtomicFile file(path(name));
    file.write(std::string(size, 'x'));
    file.commit();
    set_used(name, used);
  }
  void set_used(const std::string& name, std::int64_t used) const {
    const timespec times[] = {{used, 0}, {used, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path(name).c_str(), times, 0) == 0);
  }
};

} // namespace

TEST_CASE("trimming: what was not used for the longest time goes, until there is room") {
  const Cache cache;
  cache.add("blobs/sha256/a", 100);
  cache.add("indexes/b", 300);
  cache.add("steps/c.json", 200);
  cache.add("sha256:d", 50);
  cache.add("unpacked/e/bin/tool", 400);
  cache.set_used("unpacked/e", 60);
  const auto done = trim_cache(cache.directory.path(), 2 * size + size / 2, trim_time);
  CHECK(done.removed == 3);
  CHECK(done.before >= 5 * size);
  CHECK(done.after <= 2 * size + size / 2);
  CHECK_FALSE(cache.has("sha256:d"));
  CHECK_FALSE(cache.has("unpacked/e"));
  CHECK_FALSE(cache.has("blobs/sha256/a"));
  CHECK(cache.has("steps/c.json"));
  CHECK(cache.has("indexes/b"));
}

TEST_CASE("trimming: looking at directories does not count as use") {
  const Cache cache;
  cache.add("unpacked/a/file", 100);
  cache.set_used("unpacked/a", 100);
  trim_cache(cache.directory.path(), 1 << 30, trim_time);
  struct stat info {};
  REQUIRE(::stat(cache.path("unpacked/a").c_str(), &info) == 0);
  CHECK(info.st_atim.tv_sec == 100);
}

TEST_CASE("trimming: what is in use stays, and goes when it is not any more") {
  const Cache cache;
  cache.add("blobs/sha256/a", 100);
  cache.add("unpacked/b/file", 100);
  cache.add("mounts/c/0/file", 100);
  cache.add("mounts/c/0.lock", 100);
  CacheLocks held;
  REQUIRE(held.hold(cache.path("blobs/sha256/a")));
  REQUIRE(held.hold(cache.path("unpacked/b")));
  auto lock = open_at(current_directory(), cache.path("mounts/c/0.lock"), O_RDWR);
  REQUIRE(::flock(lock.get(), LOCK_SH) == 0);
  CHECK(trim_cache(cache.directory.path(), 1, trim_time).removed == 0);
  CHECK(cache.has("mounts/c/0/file"));
  held.release();
  lock.reset();
  CHECK(trim_cache(cache.directory.path(), 1, trim_time).removed == 3);
  CHECK_FALSE(cache.has("mounts/c"));
}

TEST_CASE("trimming: to hold an entry is to use it") {
  const Cache cache;
  cache.add("blobs/sha256/a", 100);
  cache.add("blobs/sha256/b", 200);
  CacheLocks().hold(cache.path("blobs/sha256/a"));
  trim_cache(cache.directory.path(), size + size / 2, trim_time);
  CHECK(cache.has("blobs/sha256/a"));
  CHECK_FALSE(cache.has("blobs/sha256/b"));
}

TEST_CASE("trimming: what killed programs left goes after a day, whatever the limit is") {
  const Cache cache;
  const auto today = unix_seconds(trim_time) - 3600;
  cache.add("blobs/sha256/.partial-old", 100);
  cache.add("blobs/sha256/.partial-new", today);
  cache.add("steps/x.json.tmp-123456", 100);
  CHECK(trim_cache(cache.directory.path(), 1 << 30, trim_time).removed == 2);
  CHECK(cache.has("blobs/sha256/.partial-new"));
}

TEST_CASE("trimming: links, pipes and strange names are entries like others") {
  const Cache cache;
  REQUIRE(::symlink("/", cache.path("blobs/sha256/link").c_str()) == 0);
  REQUIRE(::mkfifo(cache.path("blobs/sha256/pipe").c_str(), 0600) == 0);
  cache.add("names/\n", 100);
  trim_cache(cache.directory.path(), 0, trim_time);
  CHECK_FALSE(cache.has("names/\n"));
  CHECK(cache.has("blobs/sha256"));
  CHECK(::access("/", F_OK) == 0);
}

TEST_CASE("trimming: one program does it at a time") {
  const Cache cache;
  cache.add("blobs/sha256/a", 100);
  const auto other = open_at(current_directory(), cache.path(".trim.lock"), O_RDWR | O_CREAT, 0666);
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  CHECK(trim_cache(cache.directory.path(), 1, trim_time).removed == 0);
}
