#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/roots/layer_unpacker.hpp"
#include "memory_image.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/layer_unpacker");

namespace {

/// Layers that somebody else loads, and says to lie in one directory.
class MountedBase final : public LayerStack::Base {
public:
  explicit MountedBase(LayerStack::Layers layers) : stack_(std::move(layers), 2) {}
  const LayerStack::Layers& layers() const noexcept override { return stack_.layers(); }
  Loaded load(LayerStack::Loader*) override {
    stack_.tree();
    for (const auto& layer : stack_.layers())
      layer->lies_in("/volume");
    return {stack_.loaded_tree(), stack_.small_files(), false};
  }

private:
  LayerStack stack_;
};

} // namespace

TEST_CASE("layers of a base that knows where they lie are not looked for in --cache-dir") {
  if (::geteuid() != 0) {
    MESSAGE("skip: layers are unpacked there for root alone");
    return;
  }
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}});
  const TempDir directory("/tmp");
  FakeProgress progress;
  Workspace workspace({"/tmp"});
  const auto layers = [&](const CacheDirectory& cache) {
    LayerStack::Layers all;
    for (std::size_t i = 0; i < 2; ++i)
      all.push_back(
          std::make_shared<ImageLayer>(image.share(), i, LayerCachePolicy{&cache.blobs(), &cache}));
    return all;
  };
  {
    CacheDirectory cache(directory.path(), progress);
    LayerStack stack(layers(cache), 2);
    unpack_base(stack, workspace);
    cache.release();
  }
  CacheDirectory cache(directory.path(), progress);
  LayerStack again(layers(cache), 2);
  unpack_base(again, workspace);
  REQUIRE_FALSE(again.loaded()); // it was found there
  LayerStack mounted(std::make_shared<MountedBase>(layers(cache)), {});
  unpack_base(mounted, workspace);
  for (const auto& layer : mounted.layers())
    CHECK(layer->directory() == "/volume");
}

TEST_SUITE_END();
