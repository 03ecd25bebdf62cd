#include "builder/store/context_digests.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("builder/context_digests");

namespace {

constexpr auto day = std::chrono::hours(24);
const Time changed = from_unix(1'700'000'000, 5);

FileStamp stamp(std::uint64_t inode) {
  return {7, inode, changed, changed - day, 100 + inode};
}

ContextDigests::Digest digest(int value) {
  ContextDigests::Digest all{};
  all.fill(static_cast<std::byte>(value));
  return all;
}

std::string written(ContextDigests& digests) {
  TextSink sink;
  digests.write(sink);
  return sink.text();
}

ContextDigests read_back(const std::string& bytes) {
  TextSource source(bytes);
  return ContextDigests(source);
}

} // namespace

TEST_CASE("a digest is known again by the same stamp, and by no other") {
  ContextDigests digests;
  CHECK_FALSE(digests.has_changed());
  for (const int inode : {3, 1, 2})
    digests.add(stamp(static_cast<std::uint64_t>(inode)), digest(inode), changed + day);
  CHECK(digests.has_changed());
  auto again = read_back(written(digests));
  CHECK_FALSE(again.has_changed());
  CHECK(again.find(stamp(1)) == digest(1));
  CHECK(again.find(stamp(2)) == digest(2));
  CHECK(again.find(stamp(3)) == digest(3));
  const auto known = stamp(2);
  CHECK(!again.find({8, 2, known.ctime, known.mtime, known.size}));
  CHECK(!again.find({7, 4, known.ctime, known.mtime, known.size}));
  CHECK(!again.find({7, 2, known.ctime + std::chrono::nanoseconds(1), known.mtime, known.size}));
  CHECK(!again.find({7, 2, known.ctime, known.mtime + std::chrono::nanoseconds(1), known.size}));
  CHECK(!again.find({7, 2, known.ctime, known.mtime, known.size + 1}));
}

TEST_CASE(
    "a file that has just changed is not remembered, for it can change within the same tick") {
  ContextDigests digests;
  digests.add(stamp(1), digest(1), changed + std::chrono::milliseconds(10));
  digests.add(stamp(2), digest(2), changed - day);
  CHECK_FALSE(digests.has_changed());
  digests.add(stamp(3), digest(3), changed + std::chrono::seconds(3));
  CHECK(digests.has_changed());
}

TEST_CASE("what was known stays when more is added") {
  ContextDigests first;
  first.add(stamp(1), digest(1), changed + day);
  auto second = read_back(written(first));
  second.add(stamp(2), digest(2), changed + day);
  second.add(stamp(2), digest(2), changed + day);
  auto third = read_back(written(second));
  CHECK(third.find(stamp(1)) == digest(1));
  CHECK(third.find(stamp(2)) == digest(2));
}

TEST_CASE("any byte that is changed, missing or too many is noticed") {
  ContextDigests digests;
  digests.add(stamp(1), digest(1), changed + day);
  digests.add(stamp(2), digest(2), changed + day);
  const auto bytes = written(digests);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK_THROWS_AS(read_back(damaged), Error);
    CHECK_THROWS_AS(read_back(bytes.substr(0, i)), Error);
  }
  CHECK_THROWS_AS(read_back(bytes + "x"), Error);
}
