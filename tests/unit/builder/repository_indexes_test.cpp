#include "builder/cache/repository_indexes.hpp"
#include "creds/docker/keychain.hpp"
#include "oci/artifact.hpp"
#include "support/fake_http.hpp"
#include "support/fake_registry.hpp"
#include "support/journal.hpp"
#include "support/layer_files.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/repository_indexes");

namespace {

/// A registry, and a client that repeats nothing.
struct Repository {
  PackedIndex index(const Files& files) const {
    IndexedLayer layer;
    layer.index.entries = entries_of(files);
    return pack_index(layer);
  }
  std::string tag() const { return "index-" + std::string(diff_id.hex()); }

  const Digest diff_id = Digest::of("a layer");
  const std::atomic<bool> cancel = false;
  FakeProgress progress;
  FakeRegistry registry;
  FakeHttp http{[this](const Request& request) {
    if (silent)
      throw TemporaryError("connection refused");
    return registry.answer(request);
  }};
  bool silent = false;
  AnonymousKeychain keychain;
  RegistryClient client{{.http = http,
                         .keychain = keychain,
                         .progress = progress,
                         .clock = system_now,
                         .retry = {.attempts = 1},
                         .cancel = &cancel},
                        {}};
  const ImageRef cache = ImageRef::parse("r.example/cache");
  std::unique_ptr<LayerIndexes> place = make_repository_indexes(cache, client);
};

} // namespace

TEST_CASE_FIXTURE(Repository, "an index that is kept is found, under the diff id alone") {
  CHECK_FALSE(place->has(diff_id));
  CHECK_FALSE(place->find(diff_id));
  place->keep(diff_id, index({{"a", "1"}}));
  CHECK(place->has(diff_id));
  const auto found = place->find(diff_id);
  REQUIRE(found);
  CHECK(pack_index(*found) == index({{"a", "1"}}));
  CHECK_FALSE(place->find(Digest::of("another layer")));
  place->keep(diff_id, index({{"b", "1"}}));
  CHECK(pack_index(*place->find(diff_id)) == index({{"b", "1"}}));
}

TEST_CASE_FIXTURE(Repository, "it is an artifact of OCI 1.1 with an empty configuration") {
  place->keep(diff_id, index({{"a", "1"}}));
  const auto stored = registry.document("cache", tag());
  const auto json = Json::parse(stored.raw);
  CHECK(json.string_or("artifactType", "") == "application/vnd.cairn.layer-index.v1");
  CHECK(json.find("config")->string_or("mediaType", "") == "application/vnd.oci.empty.v1+json");
  CHECK(json.find("config")->string_or("digest", "") ==
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  CHECK(json.find("layers")->as_array().size() == 1);
}

TEST_CASE_FIXTURE(Repository, "what lies under the tag and is no index of that layer is damaged") {
  const auto other = Digest::of("another layer");
  place->keep(other, index({{"a", "1"}}));
  const auto stored = registry.document("cache", "index-" + std::string(other.hex()));
  const auto put = [&](const std::string& raw) {
    registry.put_document("cache", tag(), {raw, stored.media_type});
  };
  SUBCASE("another layer's") {
    put(stored.raw);
  }
  SUBCASE("an image") {
    auto json = Json::parse(stored.raw);
    json.erase("artifactType");
    put(json.compact());
  }
  SUBCASE("of two blobs") {
    place->keep(diff_id, index({{"a", "1"}}));
    auto json = Json::parse(registry.document("cache", tag()).raw);
    auto layers = *json.find("layers");
    layers.push(layers.as_array().front());
    json.set("layers", layers);
    put(json.compact());
  }
  SUBCASE("of a blob that is too large") {
    const Descriptor blob{"", Digest::of("x"), most_packed_bytes + 1};
    put(make_artifact("application/vnd.cairn.layer-index.v1", blob,
                      {{"dev.cairn.layer.diff-id", diff_id.str()}})
            .raw);
  }
  SUBCASE("of a blob that is lost") {
    place->keep(diff_id, index({{"a", "1"}}));
    registry.lose(Digest::of(index({{"a", "1"}}).bytes));
  }
  SUBCASE("of a blob that is damaged") {
    place->keep(diff_id, index({{"a", "1"}}));
    registry.damage(Digest::of(index({{"a", "1"}}).bytes));
  }
  SUBCASE("of a blob that is something else") {
    place->keep(diff_id, {"something else"});
  }
  CHECK_THROWS_AS(place->find(diff_id), DamagedIndex);
  CHECK(place->has(diff_id));
  place->keep(diff_id, index({{"b", "2"}}));
  CHECK(pack_index(*place->find(diff_id)) == index({{"b", "2"}}));
}

TEST_CASE_FIXTURE(Repository, "a registry that refuses to say is no damage of an index") {
  registry.refuse("GET", "manifests", 403);
  try {
    (void)place->find(diff_id);
    FAIL("it was found");
  } catch (const DamagedIndex&) {
    FAIL("it is not the index");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("403") != std::string::npos);
  }
  registry.heal();
  registry.refuse("PUT", "manifests", 405);
  CHECK_THROWS_AS(place->keep(diff_id, index({{"a", "1"}})), Error);
  CHECK_FALSE(place->has(diff_id));
}

TEST_CASE_FIXTURE(Repository, "a registry that does not answer is told once, and asked no more") {
  silent = true;
  CacheContact contact(client, cache, progress);
  const auto waiting = make_repository_indexes(cache, client, &contact);
  CHECK_THROWS_AS(waiting->find(diff_id), UnreachableCache);
  const auto asked = http.lines().size();
  CHECK(asked == 3);
  CHECK_THROWS_AS(waiting->has(diff_id), UnreachableCache);
  CHECK_THROWS_AS(waiting->keep(diff_id, index({{"a", "1"}})), UnreachableCache);
  CHECK(http.lines().size() == asked);
  CHECK(progress.told().count("warn: The cache index.docker.io") == 0);
  CHECK(progress.told().count("warn: The cache r.example/cache is not used: ") == 1);
  CHECK(progress.told().count("warn: ") == 1);
}

TEST_CASE_FIXTURE(Repository, "a registry that gives any answer is one to go on with") {
  registry.refuse("GET", "manifests", 503);
  CacheContact contact(client, cache, progress);
  const auto waiting = make_repository_indexes(cache, client, &contact);
  CHECK_THROWS_AS(waiting->find(diff_id), TemporaryError);
  registry.heal();
  CHECK_FALSE(waiting->find(diff_id));
  CHECK(progress.told().count("warn: ") == 0);
}

TEST_CASE_FIXTURE(Repository, "a build that ends first does not wait for an answer") {
  silent = true;
  const auto begin = std::chrono::steady_clock::now();
  { const CacheContact contact(client, cache, progress); }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
  CHECK(progress.told().count("warn: ") == 0);
}

TEST_SUITE_END();
