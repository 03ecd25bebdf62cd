#include "builder/cache/step_cache_places.hpp"
#include "builder/layers/layer_factory.hpp"
#include "builder/layers/made_layer.hpp"
#include "creds/docker/keychain.hpp"
#include "shelf.hpp"
#include "support/fake_http.hpp"
#include "support/fake_registry.hpp"
#include "support/layer_files.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <vector>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/step_cache_places");

namespace {

/// All kinds of places, and layers to put into them.
struct Places {
  Places() {
    for (const auto& location :
         {std::string("r.example/cache"), "oci:" + directory.path() + "/layouts/cache"})
      all.push_back(make_remote_cache(CacheLocation::parse(location), client));
    all.push_back(make_local_cache(kept));
  }

  BuiltImage entry(const StepKey& key, const Files& files) {
    const auto layer = std::make_shared<MadeLayer>(content_of(files), factory);
    return make_entry(key, layer, "RUN make", {std::chrono::hours(1), now, {}, false});
  }

  std::string new_directory(const std::string& name) const {
    make_directories(directory.path() + name);
    return directory.path() + name;
  }

  const Time now = from_unix(1'800'000'000);
  TempDir directory{"/tmp"};
  BlobStore store{directory.path() + "/build"};
  const std::atomic<bool> cancel = false;
  LayerFactory factory{store, {}, cancel};
  FakeProgress progress;
  CacheDirectory kept{new_directory("/kept"), progress};
  FakeRegistry registry;
  FakeHttp http{[this](const Request& request) { return registry.answer(request); }};
  AnonymousKeychain keychain;
  RegistryClient client{{.http = http,
                         .keychain = keychain,
                         .progress = progress,
                         .clock = [this] { return now; },
                         .retry = {},
                         .cancel = &cancel},
                        {}};
  std::vector<std::unique_ptr<StepCache>> all;
};

std::string bytes_of(StepCache& place, const StepKey& key, const Manifest& entry) {
  return read_all(*place.open(key, entry.layers.front()), std::size_t{1} << 20);
}

} // namespace

TEST_CASE_FIXTURE(Places, "what is put into a place is found there, the layer with it") {
  const auto entry_of_a = entry(key_of('a'), {{"f", "text"}});
  for (auto& place : all) {
    CAPTURE(place->name());
    CHECK_FALSE(place->find(key_of('a')));
    place->put(key_of('a'), entry_of_a);
    const auto found = place->find(key_of('a'));
    REQUIRE(found);
    CHECK(found->raw == entry_of_a.manifest.raw);
    CHECK(files_of_layer(bytes_of(*place, key_of('a'), *found)) == Files{{"f", "text"}});
    CHECK_FALSE(place->find(key_of('b')));
  }
}

TEST_CASE_FIXTURE(Places, "of two builds that put one step either entry is whole") {
  const auto first = entry(key_of('a'), {{"f", "first"}});
  const auto second = entry(key_of('a'), {{"f", "second"}});
  for (auto& place : all) {
    CAPTURE(place->name());
    place->put(key_of('a'), first);
    place->put(key_of('a'), second);
    const auto found = place->find(key_of('a'));
    REQUIRE(found);
    CHECK(found->raw == second.manifest.raw);
    CHECK(files_of_layer(bytes_of(*place, key_of('a'), *found)) == Files{{"f", "second"}});
  }
  CHECK(list_directory(open_directory(directory.path() + "/layouts")) ==
        std::vector<std::string>{"cache:" + key_of('a').hex});
}

TEST_CASE_FIXTURE(Places, "a step whose layer cannot be read is in no place, not even in part") {
  const auto broken = entry(key_of('a'), {{"f", "text"}});
  REQUIRE(::unlink(store.path(broken.manifest.layers.front().digest).c_str()) == 0);
  for (auto& place : all) {
    CAPTURE(place->name());
    CHECK_THROWS_AS(place->put(key_of('a'), broken), Error);
    CHECK_FALSE(place->find(key_of('a')));
  }
  CHECK(list_directory(open_directory(directory.path() + "/layouts")).empty());
}

TEST_CASE_FIXTURE(Places, "blobs can be mounted from a repository, and from no other place") {
  CHECK(all.at(0)->repository() == ImageRef::parse("r.example/cache"));
  CHECK_FALSE(all.at(1)->repository());
  CHECK_FALSE(all.at(2)->repository());
}

TEST_CASE_FIXTURE(Places, "a layer that is damaged where it is kept is an error when it is read") {
  const auto whole = entry(key_of('a'), {{"f", "text"}});
  const auto& blob = whole.manifest.layers.front();
  for (auto& place : all)
    place->put(key_of('a'), whole);
  registry.damage(blob.digest);
  const auto layout = BlobStore::existing(directory.path() + "/layouts/cache:" + key_of('a').hex);
  for (const auto& path : {layout.path(blob.digest), kept.blobs().path(blob.digest)}) {
    AtomicFile file(path);
    file.write(std::string(blob.size, 'x'));
    file.commit();
  }
  for (auto& place : all) {
    CAPTURE(place->name());
    CHECK(place->find(key_of('a')));
    CHECK_THROWS_AS(bytes_of(*place, key_of('a'), whole.manifest), Error);
  }
  // The next build makes it again and puts it there.
  CHECK_FALSE(all.at(2)->find(key_of('a')));
}

TEST_CASE_FIXTURE(Places, "in a directory an entry whose layer has been removed is none") {
  auto& place = *all.at(2);
  const auto whole = entry(key_of('a'), {{"f", "text"}});
  place.put(key_of('a'), whole);
  REQUIRE(::unlink(kept.blobs().path(whole.manifest.layers.front().digest).c_str()) == 0);
  CHECK_FALSE(place.find(key_of('a')));
  place.put(key_of('a'), whole);
  CHECK(place.find(key_of('a')));
}

TEST_SUITE_END();
