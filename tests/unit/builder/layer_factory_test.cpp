#include "builder/layers/layer_factory.hpp"
#include "builder/layers/made_layer.hpp"
#include "support/gate.hpp"
#include "support/layer_files.hpp"
#include "support/no_threads.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace cairn;
using test::NoThreads;
using test::with_opener;

TEST_SUITE_BEGIN("builder/layer_factory");

namespace {

std::shared_ptr<const LayerContent> share(LayerContent content) {
  return std::make_shared<const LayerContent>(std::move(content));
}

std::shared_ptr<const LayerContent> broken() {
  LayerContent content;
  content.step = "COPY f /";
  LayerEntry entry;
  entry.path = RootedPath::parse("f");
  entry.meta.size = 1;
  content.entries = {entry};
  content.begin =
      shared_opener([](std::size_t) -> std::unique_ptr<Source> { throw Error("it is gone"); });
  return share(std::move(content));
}

} // namespace

TEST_CASE("a layer that cannot be begun or written leaves room for the next one") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, cancel);
  {
    const NoThreads none;
    for (int i = 0; i < 5; ++i)
      CHECK_THROWS_AS(factory.start(share({})), SysError);
  }
  for (int i = 0; i < 5; ++i)
    CHECK_THROWS_WITH_AS(factory.start(broken()).get(), "COPY f /: it is gone", Error);
  CHECK(factory.start(share({})).get().size > 0);
}

TEST_CASE("stages that wait for one layer are told of its failure, each in its own words") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, cancel);
  const auto layer = factory.start(broken());
  for (const std::string stage : {"one", "two"})
    CHECK_THROWS_WITH_AS(within([&] { layer.get(); }, "{}", stage),
                         (stage + ": COPY f /: it is gone").c_str(), Error);
}

TEST_CASE("two layers are written at the same time, and no more than two") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, cancel);
  test::Meeting meeting;
  std::atomic<int> active = 0;
  std::atomic<int> most = 0;
  std::vector<SharedResult<Layer>> layers;
  for (int i = 0; i < 6; ++i) {
    const auto content = test::content_of({{"f", std::to_string(i)}});
    // Let go of when the layer is written.
    const std::shared_ptr<void> end(nullptr, [&](void*) { --active; });
    layers.push_back(factory.start(share(with_opener(content, [&, end](ContentOpener open) {
      return [&, end, open = std::move(open)](std::size_t n) {
        most = std::max(most.load(), ++active);
        CHECK(meeting.come());
        return open(n);
      };
    }))));
  }
  for (const auto& layer : layers)
    CHECK(store.has(layer.get().digest));
  CHECK(most == 2);
}

TEST_CASE("what is being written when a build is told to stop ends, and leaves no blob behind") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, cancel);
  const auto content = test::content_of({{"f", "first"}, {"g", "second"}});
  const MadeLayer layer(with_opener(content,
                                    [&](ContentOpener open) {
                                      return [&, open = std::move(open)](std::size_t n) {
                                        cancel = n == 1;
                                        return open(n);
                                      };
                                    }),
                        factory);
  // No Error: nobody is to go on without it.
  CHECK_THROWS_AS(layer.diff_id(), Cancelled);
  CHECK_THROWS_AS(layer.open(), Cancelled);
  CHECK(std::filesystem::is_empty(directory.path() + "/blobs/sha256"));
}

TEST_SUITE_END();
