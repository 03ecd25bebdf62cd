#include "oci/blob_store.hpp"
#include "oci/layout.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("oci/blob_store");

TEST_CASE("a blob is found under its digest") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const auto digest = store.put("hello");
  CHECK(digest == Digest::of("hello"));
  CHECK(store.size(digest) == 5);
  const auto source = store.read(digest);
  CHECK(read_all(*source, 100) == "hello");
}

TEST_CASE("what is not to be kept is removed, what is being written is not") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const auto kept = store.put("kept");
  const auto old = store.put("old");
  BlobStore::Writer writer(store);
  write_text(writer, "new");
  store.keep_only({kept});
  CHECK(store.has(kept));
  CHECK_FALSE(store.has(old));
  CHECK(writer.commit() == Digest::of("new"));
}

TEST_CASE("bytes that are not the ones expected are not stored") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const auto wanted = Digest::of("hello");
  {
    BlobStore::Writer writer(store);
    write_text(writer, "hullo");
    CHECK_THROWS_AS(writer.commit(wanted, 5), Error);
  }
  CHECK_FALSE(store.has(wanted));
  const auto blobs = open_at(current_directory(), directory.path() + "/blobs/sha256", 0);
  CHECK(list_directory(blobs).empty());
}

TEST_CASE("what is not committed leaves nothing behind") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  {
    BlobStore::Writer writer(store);
    write_text(writer, "half");
  }
  const auto blobs = open_at(current_directory(), directory.path() + "/blobs/sha256", 0);
  CHECK(list_directory(blobs).empty());
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("oci/layout");

TEST_CASE("an image is found in a layout by tag, by digest, or because it is the only one") {
  const TempDir directory("/tmp");
  const auto layout = Layout::create(directory.path());
  Descriptor one{std::string(media_type::oci_manifest), layout.blobs().put("1"), 1};
  one.annotations["org.opencontainers.image.ref.name"] = "first";
  const Descriptor two{std::string(media_type::oci_manifest), layout.blobs().put("2"), 1};
  layout.set_index(Index::make(ImageFormat::oci, {one}, {}));
  CHECK(layout.find(std::nullopt, std::nullopt).digest == one.digest);
  layout.set_index(Index::make(ImageFormat::oci, {one, two}, {}));
  CHECK(layout.find("first", std::nullopt).digest == one.digest);
  CHECK(layout.find(std::nullopt, two.digest).digest == two.digest);
  CHECK_THROWS_AS(layout.find("third", std::nullopt), Error);
  CHECK_THROWS_AS(layout.find(std::nullopt, std::nullopt), Error);
}

TEST_CASE("a directory that is no layout is refused") {
  const TempDir directory("/tmp");
  CHECK_THROWS_AS(Layout::open(directory.path()), Error);
}

TEST_SUITE_END();
