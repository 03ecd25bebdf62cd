#include "archives.hpp"
#include "fs/tree/tree.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/tree");

namespace {

/// What Tree::apply() says, on a map of paths, as slowly as can be. Knows no symbolic links.
class Model {
public:
  void apply(const std::vector<Member>& layer) {
    for (std::size_t n = 0; n < layer.size(); ++n)
      add(layer[n].entry, static_cast<std::uint32_t>(n));
    ++layer_;
  }

  /// Files that a hard link can be to.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& [path, node] : nodes_)
      if (node.meta.type != FileType::directory)
        names.push_back(path.str());
    return names;
  }

  std::string text() const {
    std::string out;
    for (const auto& [path, node] : nodes_)
      out += line(path, node.meta, node.content, node.layer, node.implied);
    return out;
  }

  static std::string line(const RootedPath& path, const Metadata& meta, ContentRef content,
                          std::uint32_t layer, bool implied) {
    const auto where = meta.type == FileType::regular
                           ? fmt::format("{}.{}", content.layer, content.entry)
                           : std::string();
    return fmt::format("{} {} {:o} {} {} {} {}\n", path.str(), static_cast<int>(meta.type),
                       meta.mode, meta.size, where, layer, implied);
  }

private:
  struct Node {
    Metadata meta;
    ContentRef content;
    std::uint32_t layer = 0;
    bool implied = false;
  };

  void add(const LayerEntry& entry, std::uint32_t number) {
    const std::string name(entry.path.name());
    const auto parent = entry.path.parent();
    if (name == ".wh..wh..opq")
      return clear_below(parent);
    if (name.starts_with(".wh."))
      return clear(parent.child(name.substr(4)));
    make(parent);
    const bool merges = nodes_.contains(entry.path) &&
                        nodes_[entry.path].meta.type == FileType::directory &&
                        entry.meta.type == FileType::directory;
    if (!merges)
      erase(entry.path);
    auto& node = nodes_[entry.path];
    node = {entry.meta, {layer_, number}, layer_, false};
    if (entry.hard_link) {
      node.meta = nodes_.at(*entry.hard_link).meta;
      node.content = nodes_.at(*entry.hard_link).content;
    }
  }

  void make(const RootedPath& directory) {
    if (directory.is_root())
      return;
    make(directory.parent());
    const auto found = nodes_.find(directory);
    if (found != nodes_.end() && found->second.meta.type == FileType::directory)
      return;
    Node implied;
    implied.meta.type = FileType::directory;
    implied.meta.mode = 0755;
    implied.layer = layer_;
    implied.implied = true;
    nodes_[directory] = implied;
  }

  void erase(const RootedPath& path) {
    std::erase_if(nodes_, [&](const auto& node) { return path.contains(node.first); });
  }

  void clear(const RootedPath& path) {
    std::erase_if(nodes_, [&](const auto& node) {
      return path.contains(node.first) && node.second.layer != layer_;
    });
    std::vector<RootedPath> stay;
    for (const auto& [name, node] : nodes_)
      if (path.contains(name) && name != path)
        stay.push_back(name.parent());
    for (const auto& directory : stay)
      make(directory);
  }

  void clear_below(const RootedPath& directory) {
    std::vector<RootedPath> children;
    for (const auto& [path, node] : nodes_)
      if (path.parent() == directory)
        children.push_back(path);
    for (const auto& child : children)
      clear(child);
  }

  std::map<RootedPath, Node> nodes_;
  std::uint32_t layer_ = 0;
};

std::string text_of(const Tree& tree) {
  std::string out;
  tree.walk([&](const RootedPath& path, const Tree::Node& node) {
    if (!path.is_root())
      out += Model::line(path, node.meta(), node.content(), node.layer(), node.implied());
  });
  return out;
}

class RandomLayers {
public:
  explicit RandomLayers(unsigned seed) : random_(seed) {}

  std::vector<Member> next(std::size_t size) {
    std::vector<Member> layer;
    while (layer.size() < size) {
      const auto path = some_path();
      switch (one_of(8)) {
      case 0:
        layer.push_back(directory(path, 0700 + one_of(8)));
        break;
      case 1:
        layer.push_back(whiteout(beside(path, ".wh." + some_name())));
        break;
      case 2:
        layer.push_back(whiteout(beside(path, ".wh..wh..opq")));
        break;
      default:
        layer.push_back(file(path, std::string(one_of(5), 'x')));
      }
    }
    return layer;
  }

  std::uint32_t one_of(std::uint32_t count) {
    return static_cast<std::uint32_t>(random_()) % count;
  }

private:
  std::string some_name() { return std::string(1, static_cast<char>('a' + one_of(4))); }

  std::string some_path() {
    std::string path;
    for (auto depth = 1 + one_of(4); depth > 0; --depth)
      path += "/" + some_name();
    return path;
  }

  static std::string beside(const std::string& path, const std::string& name) {
    return path.substr(0, path.rfind('/') + 1) + name;
  }

  std::mt19937 random_;
};

} // namespace

TEST_CASE("any layers add up to what a slow map of paths says") {
  for (unsigned seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    RandomLayers random(seed);
    Model model;
    Tree tree;
    std::vector<std::pair<Tree, std::string>> before;
    for (int number = 0; number < 6; ++number) {
      auto layer = random.next(1 + random.one_of(40));
      // A link to a file that is there, and that the link does not take the place of.
      const auto files = model.files();
      if (!files.empty())
        layer.insert(layer.begin(),
                     hard_link("link" + std::to_string(number % 2),
                               files[random.one_of(static_cast<std::uint32_t>(files.size()))]));
      if (layer.front().entry.hard_link == layer.front().entry.path)
        layer.erase(layer.begin());
      model.apply(layer);
      tree.apply(index_of(layer));
      REQUIRE(text_of(tree) == model.text());
      before.emplace_back(tree, model.text());
    }
    for (const auto& [copy, text] : before)
      REQUIRE(text_of(copy) == text);
  }
}

TEST_CASE("a hundred thousand whiteouts, one after the other or opaque, take no time to speak of") {
  std::vector<Member> lower;
  std::vector<Member> upper;
  for (int i = 0; i < 100'000; ++i) {
    lower.push_back(file("d/" + std::to_string(i * 7919 % 100'003), ""));
    upper.push_back(whiteout("d/.wh." + std::to_string(i * 7919 % 100'003)));
    upper.push_back(whiteout("d/.wh..wh..opq"));
  }
  upper.push_back(file("d/last", ""));
  Tree tree;
  tree.apply(index_of(lower));
  tree.apply(index_of(upper));
  CHECK(text_of(tree) == "/d 1 755 0  0 true\n/d/last 0 644 0 1.200000 1 false\n");
}
