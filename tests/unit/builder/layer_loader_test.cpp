#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/store/directory_indexes.hpp"
#include "memory_image.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/layer_loader");

namespace {

/// Writes down what it is told, one layer at a time.
class WritingLoader final : public LayerStack::Loader {
public:
  void begin(std::size_t layer) override { note("begin", layer); }
  void entry(std::size_t layer, const LayerEntry& entry, EntryContent& content) override {
    note("entry", layer, " " + entry.path.str());
    TextSink text;
    content.copy_to(text);
    texts_[entry.path.str()] = text.text();
  }
  void end(std::size_t layer) override { note("end", layer); }
  void all_read(std::size_t layer, const Tree& below) override {
    std::string files;
    below.walk([&](const RootedPath& path, const Tree::Node& node) {
      if (node.type() == FileType::regular)
        files += " " + path.str();
    });
    note("over", layer, files);
    on_all_read();
  }
  std::string text(std::size_t layer, const RootedPath& path) override {
    note("text", layer, " " + path.str());
    return texts_.at(path.str());
  }
  bool wants(std::size_t layer) const override {
    return std::find(unwanted.begin(), unwanted.end(), layer) == unwanted.end();
  }
  std::size_t parallel() const override { return 1; }

  std::vector<std::size_t> unwanted;
  std::function<void()> on_all_read = [] {};
  std::vector<std::string> told;

private:
  void note(const std::string& what, std::size_t layer, const std::string& more = "") {
    told.push_back(what + " " + std::to_string(layer) + more);
  }

  Files texts_;
};

struct TwoLayers {
  TwoLayers() {
    for (std::size_t i = 0; i < 2; ++i)
      layers.push_back(std::make_shared<ImageLayer>(image.share(), i, LayerCachePolicy{}));
  }

  const MemoryImage image{std::vector<Files>{{{"a", "1"}, {"b", "2"}}, {{".wh.a", ""}}}};
  std::vector<std::shared_ptr<const StageLayer>> layers;
  WritingLoader loader;
};

using Told = std::vector<std::string>;

} // namespace

TEST_CASE_FIXTURE(TwoLayers, "a base is unpacked from the bottom up, while it is read once") {
  LayerStack stack(layers, 2);
  stack.load(&loader);
  CHECK(loader.told == Told{"begin 0", "entry 0 /a", "entry 0 /b", "end 0", "begin 1",
                            "entry 1 /.wh.a", "end 1", "over 0", "over 1 /a /b"});
  CHECK(image.opened.lines() == Told{"open 0", "open 1"});
  CHECK(stack.loaded());
  CHECK_FALSE(stack.tree().find(RootedPath::parse("a")));
  CHECK(image.opened.lines().size() == 2);
}

TEST_CASE_FIXTURE(TwoLayers, "a layer that is unpacked already is read for the Tree alone") {
  loader.unwanted = {0};
  LayerStack stack(layers, 2);
  stack.load(&loader);
  CHECK(loader.told == Told{"begin 1", "entry 1 /.wh.a", "end 1", "over 0", "over 1 /a /b"});
  CHECK(stack.tree().find(RootedPath::parse("b")));
}

TEST_CASE_FIXTURE(TwoLayers, "a layer whose index is kept is read to be unpacked, and only then") {
  const TempDir directory("/tmp");
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  LayerIndexCaches indexes(progress);
  indexes.use(make_directory_indexes(cache), LayerIndexCaches::Use::read_and_write,
              LayerIndexCaches::Distance::near);
  const LayerCachePolicy keep{nullptr, &cache, &indexes};
  layers = {std::make_shared<ImageLayer>(image.share(), 0, keep),
            std::make_shared<ImageLayer>(image.share(), 1, keep)};
  LayerStack(layers, 2).tree();
  loader.unwanted = {0};
  LayerStack stack(layers, 2);
  stack.load(&loader);
  CHECK(image.opened.count("open 0") == 1);
  CHECK(image.opened.count("open 1") == 2);
  CHECK(loader.told.front() == "begin 1");
  CHECK(stack.tree().find(RootedPath::parse("b")));
}

TEST_CASE("the user databases are taken from what has been unpacked") {
  const MemoryImage image(std::vector<Files>{{{"etc/passwd", "root"}}});
  WritingLoader loader;
  LayerStack stack({std::make_shared<ImageLayer>(image.share(), 0, LayerCachePolicy{})}, 1);
  stack.load(&loader);
  CHECK(loader.told == Told{"begin 0", "entry 0 /etc", "entry 0 /etc/passwd", "text 0 /etc/passwd",
                            "end 0", "over 0"});
  CHECK(stack.text(RootedPath::parse("etc/passwd"), 100) == "root");
  CHECK(image.opened.lines().size() == 1);
}

TEST_CASE_FIXTURE(TwoLayers, "a base that cannot be unpacked leaves no Tree of half of it") {
  loader.on_all_read = [&] {
    if (loader.told.back() == "over 1 /a /b")
      throw Error("it is full");
  };
  LayerStack stack(layers, 2);
  CHECK_THROWS_WITH_AS(stack.load(&loader), "it is full", Error);
  CHECK_FALSE(stack.loaded());
}

TEST_CASE_FIXTURE(TwoLayers, "after a layer that cannot be read none above it is begun") {
  MemoryImage damaged(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}});
  damaged.set_bytes(0, "nonsense");
  layers = {std::make_shared<ImageLayer>(damaged.share(), 0, LayerCachePolicy{}),
            std::make_shared<ImageLayer>(damaged.share(), 1, LayerCachePolicy{})};
  LayerStack stack(layers, 2);
  CHECK_THROWS_AS(stack.load(&loader), Error);
  CHECK(loader.told == Told{"begin 0"});
  CHECK_FALSE(stack.loaded());
}

TEST_SUITE_END();
