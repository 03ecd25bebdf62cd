#include "../../support/no_threads.hpp"
#include "builder/layers/layer_factory.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using test::NoThreads;

TEST_SUITE_BEGIN("builder/layer_factory");

namespace {

LayerContent broken() {
  LayerContent content;
  content.step = "COPY f /";
  LayerEntry entry;
  entry.path = RootedPath::parse("f");
  entry.meta.size = 1;
  content.entries = {entry};
  content.open = [](std::size_t) -> std::unique_ptr<Source> { throw Error("it is gone"); };
  return content;
}

} // namespace

TEST_CASE("a layer that cannot be begun or written leaves room for the next one") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, {}, cancel);
  {
    const NoThreads none;
    for (int i = 0; i < 5; ++i)
      CHECK_THROWS_AS(factory.start(LayerContent()), SysError);
  }
  for (int i = 0; i < 5; ++i)
    CHECK_THROWS_WITH_AS(factory.start(broken()).get(), "COPY f /: it is gone", Error);
  CHECK(factory.start(LayerContent()).get().size > 0);
}

TEST_CASE("stages that wait for one layer are told of its failure, each in its own words") {
  const TempDir directory("/tmp");
  const BlobStore store(directory.path());
  const std::atomic<bool> cancel = false;
  LayerFactory factory(store, {}, {}, cancel);
  const auto layer = factory.start(broken());
  for (const std::string stage : {"one", "two"})
    CHECK_THROWS_WITH_AS(within([&] { layer.get(); }, "{}", stage),
                         (stage + ": COPY f /: it is gone").c_str(), Error);
}

TEST_SUITE_END();
