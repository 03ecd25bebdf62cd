#include "builder/store/unpacked_layers.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <optional>
#include <string>

using namespace cairn;

namespace {

const Digest chain = Digest::of("chain");

/// A directory for unpacked layers, and a build that uses it.
struct Builds {
  TempDir directory{"/tmp"};
  SilentProgress progress;
  CacheLocks held;
  std::optional<UnpackedLayers> layers;

  Builds() { begin(); }

  void begin() { layers.emplace(directory.path(), UnpackedLayers::Ability::make, held, progress); }
  void end() {
    layers->finish();
    held.release();
  }
  std::string entry() const { return directory.path() + "/" + std::string(chain.hex()); }

  std::string unpack(const std::string& text = "content") {
    UnpackedLayers::Unpacking unpacking(*layers);
    const auto file =
        open_at(current_directory(), unpacking.path() + "/file", O_WRONLY | O_CREAT, 0644);
    write_all(file, std::as_bytes(std::span(text)));
    return unpacking.commit(chain);
  }
};

bool can_be_sealed(const Builds& builds) {
  if (::setxattr(builds.directory.path().c_str(), "user.x", "1", 1, 0) == 0)
    return true;
  MESSAGE("skip: no extended attributes here");
  return false;
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

} // namespace

TEST_CASE("unpacked layers: one that was finished is found by the next build") {
  Builds builds;
  if (!can_be_sealed(builds))
    return;
  CHECK(builds.unpack() == builds.entry());
  CHECK(builds.layers->are_intact());
  builds.end();
  builds.begin();
  CHECK(builds.layers->find(chain) == builds.entry());
  CHECK(builds.layers->are_intact());
  CHECK_FALSE(builds.layers->find(Digest::of("other")));
}

TEST_CASE("unpacked layers: one that is not sealed, or is not what it was, is thrown away") {
  for (const bool is_sealed : {true, false}) {
    Builds builds;
    if (!can_be_sealed(builds))
      return;
    builds.unpack();
    builds.end();
    if (is_sealed)
      REQUIRE(::truncate((builds.entry() + "/file").c_str(), 0) == 0);
    else
      REQUIRE(::removexattr(builds.entry().c_str(), "user.cairn.seal") == 0);
    builds.begin();
    CHECK_FALSE(builds.layers->find(chain));
    CHECK_FALSE(is_there(builds.entry()));
    CHECK(builds.layers->are_intact());
  }
}

TEST_CASE("unpacked layers: without commit() nothing is left") {
  Builds builds;
  { const UnpackedLayers::Unpacking unpacking(*builds.layers); }
  CHECK(list_directory(builds.directory.fd()).empty());
}

TEST_CASE("unpacked layers: what another build has not finished is not waited for") {
  Builds builds;
  if (!can_be_sealed(builds))
    return;
  make_directories(builds.entry() + "/half");
  const auto other = open_at(current_directory(), builds.entry(), O_RDONLY | O_DIRECTORY);
  REQUIRE(lock_shared(other));
  const auto own = builds.unpack();
  CHECK(own != builds.entry());
  CHECK(is_there(own + "/file"));
  CHECK(builds.layers->are_intact());
  builds.end();
  CHECK_FALSE(is_there(own));
  CHECK(is_there(builds.entry() + "/half"));
}

TEST_CASE(
    "unpacked layers: a change while they are in use is noticed, and nothing made of them counts") {
  Builds builds;
  if (!can_be_sealed(builds))
    return;
  const auto path = builds.unpack();
  const auto before = std::chrono::steady_clock::now();
  CHECK(builds.layers->were_intact_at(before));
  REQUIRE(::truncate((path + "/file").c_str(), 0) == 0);
  CHECK(builds.layers->were_intact_at(before));
  const auto after = std::chrono::steady_clock::now();
  CHECK_FALSE(builds.layers->were_intact_at(after));
  CHECK(builds.layers->have_failed());
  builds.layers->begin_again();
  CHECK_FALSE(builds.layers->were_intact_at(after));
  CHECK_FALSE(builds.layers->have_failed());
  CHECK(builds.layers->can_use());
}

TEST_CASE("unpacked layers: after the second loss they are not used any more") {
  Builds builds;
  if (!can_be_sealed(builds))
    return;
  for (const bool can_go_on : {true, false}) {
    const auto path = builds.unpack();
    remove_tree(current_directory(), path);
    CHECK(builds.layers->have_failed());
    builds.layers->begin_again();
    CHECK(builds.layers->can_use() == can_go_on);
  }
}

TEST_CASE("unpacked layers: where nothing can be written no more are unpacked, and those there are "
          "used") {
  Builds builds;
  CHECK_THROWS_AS(builds.layers->unpack([] { throw SysError(ENOSPC, "write"); }), CacheFailure);
  CHECK(builds.layers->have_failed());
  builds.layers->begin_again();
  CHECK_FALSE(builds.layers->have_failed());
  CHECK_FALSE(builds.layers->can_make());
  CHECK(builds.layers->can_use());
}
