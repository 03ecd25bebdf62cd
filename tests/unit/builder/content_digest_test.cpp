#include "builder/execute/content_digest.hpp"
#include "support/layer_files.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/content_digest");

namespace {

std::string digest_of(const Files& files) {
  ContextDigests unknown;
  return content_digest(content_of(files), unknown);
}

/// With a stamp for each file that changed long ago, and a count of those that are read.
struct Stamped {
  LayerContent content;
  std::shared_ptr<std::atomic<int>> read = std::make_shared<std::atomic<int>>(0);
};

Stamped stamped(const Files& files) {
  Stamped all{content_of(files)};
  all.content.stamp = [](std::size_t n) -> std::optional<FileStamp> {
    return FileStamp{1, n, from_unix(1000), from_unix(1000), 1};
  };
  all.content = with_opener(std::move(all.content), [read = all.read](ContentOpener open) {
    return [open = std::move(open), read](std::size_t n) {
      ++*read;
      return open(n);
    };
  });
  return all;
}

} // namespace

TEST_CASE("the digest of files is theirs, whatever threads there are") {
  Files files;
  for (int i = 0; i < 10'000; ++i)
    files["d" + std::to_string(i % 9) + "/f" + std::to_string(i)] = std::to_string(i);
  const auto one = digest_of(files);
  CHECK(digest_of(files) == one);
  auto other = files;
  other["d0/f9999"] = "other";
  CHECK(digest_of(other) != one);
  other = files;
  std::swap(other["d0/f0"], other["d1/f1"]);
  CHECK(digest_of(other) != one);
}

TEST_CASE("files whose digests are known are not read, and the digest is the same") {
  const Files files = {{"a", "1"}, {"b", "2"}, {"empty", ""}};
  ContextDigests known;
  const auto first = stamped(files);
  const auto digest = content_digest(first.content, known);
  CHECK(*first.read == 2);
  CHECK(digest == digest_of(files));
  TextSink kept;
  known.write(kept);
  TextSource source(kept.text());
  ContextDigests again(source);
  const auto second = stamped(files);
  CHECK(content_digest(second.content, again) == digest);
  CHECK(*second.read == 0);
}

TEST_CASE("a file that changes while it is read is not remembered") {
  auto all = stamped({{"a", "1"}});
  all.content.stamp = [read = all.read](std::size_t n) -> std::optional<FileStamp> {
    return FileStamp{1, n, from_unix(1000 + read->load()), from_unix(1000), 1};
  };
  ContextDigests known;
  content_digest(all.content, known);
  CHECK_FALSE(known.has_changed());
}

TEST_CASE("a file that cannot be read is an error") {
  auto content = content_of({{"a", "1"}, {"b", "2"}});
  content.begin =
      shared_opener([](std::size_t) -> std::unique_ptr<Source> { throw Error("it has gone"); });
  ContextDigests known;
  CHECK_THROWS_AS(content_digest(content, known), Error);
}
