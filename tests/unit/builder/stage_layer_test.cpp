#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_factory.hpp"
#include "builder/layers/made_layer.hpp"
#include "memory_image.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <atomic>
#include <memory>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/stage_layer");

namespace {

/// An image of one layer with one file, and a place where blobs can be kept.
struct OneFile {
  ImageLayer layer(LayerCachePolicy keep = {}) { return {image.share(), 0, keep}; }
  Digest digest() { return image.image().manifest.layers.front().digest; }

  TempDir directory{"/tmp"};
  BlobStore store{directory.path()};
  MemoryImage image{std::vector<Files>{{{"f", "text"}}}};
};

std::vector<std::string> paths_in(const StageLayer& layer) {
  std::vector<std::string> paths;
  layer.read([&](const LayerEntry& entry, EntryContent&) { paths.push_back(entry.path.str()); });
  return paths;
}

const std::vector<std::string> only_f = {"/f"};

std::string why_not(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "it succeeded";
}

} // namespace

TEST_CASE_FIXTURE(OneFile, "what a base's layer is its image's documents say, unread") {
  const auto base = layer();
  CHECK(base.diff_id() == image.image().config.diff_ids.front());
  CHECK(base.compression() == Compression::none);
  const auto descriptor = base.descriptor(ImageFormat::docker);
  CHECK(descriptor.media_type == media_type::docker_layer);
  CHECK(descriptor.digest == digest());
  CHECK(base.base()->manifest.digest() == image.image().manifest.digest());
  CHECK(image.opened.lines().empty());
}

TEST_CASE_FIXTURE(OneFile, "a base's layer that is not to be kept is fetched for each reader") {
  const auto base = layer();
  CHECK(paths_in(base) == only_f);
  CHECK(paths_in(base) == only_f);
  CHECK(image.opened.count("open 0") == 2);
}

TEST_CASE_FIXTURE(OneFile, "a base's layer that is to be kept is fetched once") {
  const auto base = layer({&store, nullptr});
  CHECK(paths_in(base) == only_f);
  CHECK(store.has(digest()));
  CHECK(paths_in(base) == only_f);
  CHECK(paths_in(layer({&store, nullptr})) == only_f);
  CHECK(image.opened.count("open 0") == 1);
}

TEST_CASE_FIXTURE(OneFile, "a layer that nobody wants any more is not read, nor kept") {
  LayerCachePolicy keep{&store, nullptr};
  keep.stopped = std::make_shared<std::atomic<bool>>(true);
  CHECK_THROWS_AS(paths_in(layer(keep)), Cancelled);
  CHECK_FALSE(store.has(digest()));
}

TEST_CASE_FIXTURE(OneFile, "a layer that was read in part is not kept") {
  const auto base = layer({&store, nullptr});
  {
    const auto source = base.open();
    std::byte first{};
    CHECK(source->read({&first, 1}) == 1);
  }
  CHECK_FALSE(store.has(digest()));
  CHECK(paths_in(base) == only_f);
  CHECK(store.has(digest()));
}

TEST_CASE_FIXTURE(OneFile, "a layer that is damaged on its way is named, and is not kept") {
  const auto base = layer({&store, nullptr});
  auto damaged = tar_of({{"f", "text"}});
  damaged.back() = 'x';
  image.set_bytes(0, damaged);
  CHECK(why_not([&] { (void)paths_in(base); }).starts_with("layer " + digest().str() + ": "));
  CHECK_FALSE(store.has(digest()));
  image.set_bytes(0, tar_of({{"f", "text"}}));
  CHECK(paths_in(base) == only_f);
}

TEST_CASE_FIXTURE(OneFile, "a layer whose diff id is not the one in the configuration is refused") {
  image.image().config.diff_ids.front() = Digest::of("something else");
  CHECK(why_not([&] { (void)paths_in(layer()); }).starts_with("layer " + digest().str() + ": "));
}

TEST_CASE_FIXTURE(OneFile, "a store that takes nothing costs the reader nothing") {
  const auto nowhere = BlobStore::existing("/dev/null");
  const auto base = layer({&nowhere, nullptr});
  CHECK(paths_in(base) == only_f);
  CHECK(paths_in(base) == only_f);
  CHECK(image.opened.count("open 0") == 2);
}

TEST_CASE_FIXTURE(OneFile, "a layer that the cache directory has is not fetched") {
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const LayerCachePolicy keep{&cache.blobs(), &cache};
  CHECK(paths_in(layer(keep)) == only_f);
  CHECK(paths_in(layer(keep)) == only_f);
  CHECK(image.opened.count("open 0") == 1);
}

TEST_CASE_FIXTURE(OneFile, "a layer that is shorter in the cache directory is fetched again") {
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const LayerCachePolicy keep{&cache.blobs(), &cache};
  CHECK(paths_in(layer(keep)) == only_f);
  REQUIRE(::truncate(cache.blobs().path(digest()).c_str(), 9) == 0);
  CHECK(paths_in(layer(keep)) == only_f);
  CHECK(image.opened.count("open 0") == 2);
  CHECK(cache.lost_blobs() == 0);
}

namespace {

/// Puts other bytes into the place of a blob.
void damage(const CacheDirectory& cache, const Digest& blob, char with = 'x') {
  AtomicFile file(cache.blobs().path(blob));
  file.write(std::string(*cache.blobs().size(blob), with));
  file.commit();
}

} // namespace

TEST_CASE_FIXTURE(OneFile,
                  "a layer with other bytes in the cache directory is found out by whoever "
                  "reads it, and fetched again then") {
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const LayerCachePolicy keep{&cache.blobs(), &cache};
  CHECK(paths_in(layer(keep)) == only_f);
  damage(cache, digest());
  CHECK(why_not([&] { (void)paths_in(layer(keep)); }).starts_with("layer " + digest().str()));
  CHECK(cache.lost_blobs() == 1);
  CHECK(paths_in(layer(keep)) == only_f);
  CHECK(image.opened.count("open 0") == 2);
  CHECK(paths_in(layer(keep)) == only_f);
  CHECK(image.opened.count("open 0") == 2);
}

TEST_CASE_FIXTURE(OneFile, "after a first loss layers are verified before anybody reads them") {
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const LayerCachePolicy keep{&cache.blobs(), &cache};
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    if (i == 1)
      CHECK_THROWS_AS(paths_in(layer(keep)), Error);
    CHECK(paths_in(layer(keep)) == only_f);
    damage(cache, digest());
  }
  CHECK(cache.lost_blobs() == 1);
  CHECK(image.opened.count("open 0") == 3);
}

TEST_CASE_FIXTURE(OneFile, "a reader that fails early does so because of the layer's damage") {
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const LayerCachePolicy keep{&cache.blobs(), &cache};
  CHECK(paths_in(layer(keep)) == only_f);
  const auto fails = [](const LayerEntry&, EntryContent&) { throw Error("there is no room"); };
  CHECK_THROWS_AS(layer(keep).read(fails), Error);
  CHECK(cache.lost_blobs() == 0);
  {
    AtomicFile file(cache.blobs().path(digest()));
    auto other = tar_of({{"f", "Text"}});
    REQUIRE(other.size() == *cache.blobs().size(digest()));
    file.write(other);
    file.commit();
  }
  CHECK_THROWS_AS(layer(keep).read(fails), Error);
  CHECK(cache.lost_blobs() == 1);
}

TEST_CASE_FIXTURE(OneFile, "whether a blob is in the cache directory is known after reading it") {
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const auto blob = image.image().manifest.layers.front();
  CHECK_FALSE(cache.has_blob(blob));
  CHECK(paths_in(layer({&cache.blobs(), &cache})) == only_f);
  CHECK(cache.has_blob(blob));
  damage(cache, digest());
  CHECK_FALSE(cache.has_blob(blob));
  CHECK_FALSE(cache.blobs().has(digest()));
  CHECK(cache.lost_blobs() == 0);
}

TEST_CASE_FIXTURE(OneFile, "how far a layer may be unpacked is limited for others' images alone") {
  const std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, cancel);
  const MadeLayer own(content_of({{"zeros", std::string(std::size_t{4} << 20, '\0')}}), factory);
  own.write();
  own.set_aside();
  CHECK(paths_in(own) == std::vector<std::string>{"/zeros"});
  const auto blob = own.descriptor(ImageFormat::oci).digest;
  MemoryImage others({read_all(*store.read(blob), std::size_t{8} << 20)});
  others.image().config.diff_ids.front() = own.diff_id();
  others.image().limit = ExpansionLimit{0};
  CHECK_THROWS_AS(paths_in(ImageLayer(others.share(), 0, {})), ExpansionExceeded);
}

TEST_SUITE_END();
