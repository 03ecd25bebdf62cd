#include "builder/execute/copy_step.hpp"
#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/store/directory_indexes.hpp"
#include "memory_image.hpp"
#include "support/gate.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/layer_stack");

namespace {

std::shared_ptr<const StageLayer> layer_of(const MemoryImage& image, std::size_t number = 0,
                                           LayerCachePolicy keep = {}) {
  return std::make_shared<ImageLayer>(image.share(), number, keep);
}

LayerStack stack_of(const MemoryImage& image, LayerCachePolicy keep = {}) {
  std::vector<std::shared_ptr<const StageLayer>> layers;
  for (std::size_t i = 0; i < image.share()->manifest.layers.size(); ++i)
    layers.push_back(layer_of(image, i, keep));
  const auto count = layers.size();
  return {std::move(layers), count};
}

using Paths = std::vector<std::string>;

std::optional<std::string> text_of(LayerStack& stack, const std::string& path) {
  return stack.text(RootedPath::parse(path), 100);
}

/// A layer that makes sense on nothing: a link to a file that is nowhere.
std::string tar_of_link_to_nothing() {
  LayerEntry link;
  link.path = RootedPath::parse("link");
  link.hard_link = RootedPath::parse("nowhere");
  TextSink tar;
  write_tar({link}, {}, {}, tar);
  return tar.text();
}

} // namespace

TEST_CASE("layers are read when the Tree is asked for, each once") {
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}});
  auto stack = stack_of(image);
  CHECK(stack.layers().size() == 2);
  CHECK(stack.base_image_layers() == 2);
  CHECK_FALSE(stack.loaded());
  CHECK(image.opened.lines().empty());
  CHECK(files_in(stack.tree()) == Paths{"/a", "/b"});
  CHECK(stack.loaded());
  stack.tree();
  CHECK(image.opened.count("open 0") == 1);
  CHECK(image.opened.count("open 1") == 1);
}

TEST_CASE("a layer lies over those before it, whichever is read first") {
  const MemoryImage image(std::vector<Files>{{{"gone", "1"}, {"etc/passwd", "lower"}},
                                             {{".wh.gone", ""}, {"etc/passwd", "upper"}}});
  auto stack = stack_of(image);
  CHECK(files_in(stack.tree()) == Paths{"/etc/passwd"});
  CHECK(text_of(stack, "etc/passwd") == "upper");
}

TEST_CASE("a layer that is put on top is not read before the Tree is needed") {
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{".wh.a", ""}, {"b", "2"}}});
  LayerStack stack({layer_of(image, 0)}, 1);
  stack.push(layer_of(image, 1));
  CHECK(stack.layers().size() == 2);
  CHECK(stack.base_image_layers() == 1);
  CHECK(image.opened.lines().empty());
  CHECK(files_in(stack.tree()) == Paths{"/b"});
}

TEST_CASE("a layer that is put on a Tree is read at once, and those below it are not again") {
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{".wh.a", ""}, {"b", "2"}}});
  LayerStack stack({layer_of(image, 0)}, 1);
  stack.tree();
  stack.push(layer_of(image, 1));
  CHECK(files_in(stack.loaded_tree()) == Paths{"/b"});
  CHECK(image.opened.lines() == std::vector<std::string>{"open 0", "open 1"});
}

TEST_CASE("a layer whose entries are known is not read, and what is below it is") {
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}});
  LayerStack stack({layer_of(image, 0)}, 1);
  stack.push(layer_of(image, 1), entries_of({{"b", "2"}}));
  CHECK(files_in(stack.loaded_tree()) == Paths{"/a", "/b"});
  CHECK(stack.layers().size() == 2);
  CHECK(image.opened.lines() == std::vector<std::string>{"open 0"});
}

TEST_CASE("a layer that cannot be read is not on the stack") {
  MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}});
  LayerStack stack({layer_of(image, 0)}, 1);
  stack.tree();
  image.set_bytes(1, "nonsense");
  CHECK_THROWS_AS(stack.push(layer_of(image, 1)), Error);
  CHECK(stack.layers().size() == 1);
  CHECK(files_in(stack.loaded_tree()) == Paths{"/a"});
}

TEST_CASE("a stack that could not be read has no Tree, and none of half of its layers") {
  const MemoryImage image({tar_of({{"a", "1"}}), tar_of_link_to_nothing()});
  auto stack = stack_of(image);
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH_AS(stack.tree(),
                         "entry '/link' is a hard link to '/nowhere', which does not exist", Error);
    CHECK_FALSE(stack.loaded());
  }
}

TEST_CASE("a stack is read again after its image could not be reached") {
  MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}});
  image.set_bytes(1, "nonsense");
  auto stack = stack_of(image);
  CHECK_THROWS_AS(stack.tree(), Error);
  CHECK_FALSE(stack.loaded());
  image.set_bytes(1, tar_of({{"b", "2"}}));
  CHECK(files_in(stack.tree()) == Paths{"/a", "/b"});
}

TEST_CASE("a copy shares the layers, and what is put on it is its own") {
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}, {{"b", "2"}}, {{"c", "3"}}});
  LayerStack stack({layer_of(image, 0)}, 1);
  stack.tree();
  auto left = stack;
  auto right = stack;
  left.push(layer_of(image, 1));
  right.push(layer_of(image, 2));
  CHECK(files_in(stack.loaded_tree()) == Paths{"/a"});
  CHECK(files_in(left.loaded_tree()) == Paths{"/a", "/b"});
  CHECK(files_in(right.loaded_tree()) == Paths{"/a", "/c"});
  CHECK(left.layers().front() == right.layers().front());
  CHECK(image.opened.count("open 0") == 1);
}

TEST_CASE("of the user databases the text is known once the Tree is") {
  const MemoryImage image(
      std::vector<Files>{{{"etc/passwd", "root"}, {"etc/group", "wheel"}, {"f", "text"}}});
  auto stack = stack_of(image);
  CHECK(text_of(stack, "etc/passwd") == "root");
  CHECK(text_of(stack, "etc/group") == "wheel");
  CHECK(image.opened.lines().size() == 1);
  CHECK(text_of(stack, "f") == "text");
  CHECK(text_of(stack, "f") == "text");
  CHECK(image.opened.lines().size() == 2);
}

TEST_CASE("the text of a file is that of its last layer, and what a step remembers of its own") {
  const MemoryImage image(std::vector<Files>{{{"f", "lower"}}, {{"f", "upper"}}});
  auto stack = stack_of(image);
  CHECK(text_of(stack, "f") == "upper");
  stack.push(layer_of(image, 0), entries_of({{"f", "own"}}));
  stack.remember({2, 0}, "own");
  CHECK(text_of(stack, "f") == "own");
}

TEST_CASE("there is no text where there is no regular file, and none that is too long") {
  const MemoryImage image(std::vector<Files>{{{"d/f", std::string(101, 'x')}, {"empty", ""}}});
  auto stack = stack_of(image);
  CHECK(text_of(stack, "absent") == std::nullopt);
  CHECK(text_of(stack, "d") == std::nullopt);
  CHECK(text_of(stack, "empty") == "");
  CHECK_THROWS_WITH_AS(text_of(stack, "d/f"), "'/d/f' is larger than 100 bytes", Error);
  CHECK(stack.text(RootedPath::parse("d/f"), 101)->size() == 101);
}

TEST_CASE("the text of a link is that of the file that it leads to") {
  auto entries = entries_of({{"etc/real", "text"}});
  LayerEntry link;
  link.path = RootedPath::parse("etc/soft");
  link.meta.type = FileType::symlink;
  link.meta.link_target = "real";
  entries.push_back(link);
  const auto content = content_of({{"etc/real", "text"}});
  TextSink tar;
  write_tar(entries, content.begin(entries), {}, tar);
  const MemoryImage image({tar.text()});
  auto stack = stack_of(image);
  CHECK(text_of(stack, "etc/soft") == "text");
}

TEST_CASE("what a file holds is read from the layer that has it") {
  const MemoryImage image(std::vector<Files>{{{"a", "lower"}}, {{"a", "upper"}, {"b", "other"}}});
  auto stack = stack_of(image);
  const auto read = [&](const std::string& path) {
    const auto node = stack.tree().find(RootedPath::parse(path));
    REQUIRE(node);
    return read_all(*read_content(stack.layers(), node->content()), 100);
  };
  CHECK(read("a") == "upper");
  CHECK(read("b") == "other");
  CHECK(read_all(*read_content(stack.layers(), {0, 0}), 100) == "lower");
}

TEST_CASE("a layer whose index is kept is not read, not even for the user databases") {
  const TempDir directory("/tmp");
  FakeProgress progress;
  const CacheDirectory cache(directory.path(), progress);
  const MemoryImage image(std::vector<Files>{{{"etc/passwd", "root"}}});
  LayerIndexCaches indexes(progress);
  indexes.use(make_directory_indexes(cache), LayerIndexCaches::Use::read_and_write,
              LayerIndexCaches::Distance::near);
  const LayerCachePolicy keep{nullptr, &cache, &indexes};
  stack_of(image, keep).tree();
  CHECK(image.opened.lines().size() == 1);
  auto again = stack_of(image, keep);
  CHECK(files_in(again.tree()) == Paths{"/etc/passwd"});
  CHECK(text_of(again, "etc/passwd") == "root");
  CHECK(image.opened.lines().size() == 1);
}

TEST_CASE("a stack that several read from is read once, even when they ask at the same time") {
  const MemoryImage image(std::vector<Files>{{{"a", "1"}}});
  SharedStack shared(stack_of(image));
  Meeting meeting;
  std::vector<const LayerStack*> seen(2);
  {
    const auto read = [&](std::size_t n) {
      CHECK(meeting.come());
      seen[n] = &shared.loaded();
    };
    const std::jthread one([&] { read(0); });
    const std::jthread two([&] { read(1); });
  }
  CHECK(seen[0] == seen[1]);
  CHECK(files_in(seen[0]->loaded_tree()) == Paths{"/a"});
  CHECK(image.opened.lines().size() == 1);
}

TEST_CASE("each who shares a stack that cannot be read is told why, as an error of its own") {
  const MemoryImage image({tar_of({{"a", "1"}}), tar_of_link_to_nothing()});
  SharedStack shared(stack_of(image));
  for (const std::string who : {"one", "two"})
    CHECK_THROWS_WITH_AS(
        within([&] { (void)shared.loaded(); }, "{}", who),
        (who + ": entry '/link' is a hard link to '/nowhere', which does not exist").c_str(),
        Error);
}

TEST_SUITE_END();
