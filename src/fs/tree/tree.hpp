#pragma once

#include "fs/archive/entry.hpp"
#include "fs/tree/links.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// What a layer holds, in the order of its tar stream: enough to apply it to a Tree without its
/// bytes. The position in `entries` names an entry's content within the layer.
struct LayerIndex {
  std::vector<LayerEntry> entries;
};

/// Where the bytes of a regular file are: which layer of the Tree, counted from 0 at the bottom,
/// and which entry of that layer's stream.
struct ContentRef {
  std::uint32_t layer = 0;
  std::uint32_t entry = 0;

  bool operator==(const ContentRef&) const = default;
  bool operator<(const ContentRef& other) const noexcept {
    return layer != other.layer ? layer < other.layer : entry < other.entry;
  }
};

/// An index of a root file system: the sum of its layers, without any bytes of files.
/// A value: copies are independent. The root directory always exists.
class Tree {
public:
  struct Node {
    Metadata meta;
    ContentRef content;      ///< Of regular files. Names of one file (hard links) share it.
    std::uint32_t layer = 0; ///< The last one that holds an entry for it, or below it if implied.
    bool implied = false;    ///< A directory that no layer holds an entry for: 0755 0:0.
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  };

  Tree();
  Tree(const Tree& other);
  Tree(Tree&&) noexcept;
  Tree& operator=(Tree&&) noexcept;
  ~Tree();

  /// Adds a layer on top: later entries replace earlier ones, whiteouts remove what lower layers
  /// hold, opaque whiteouts all of it, wherever in the stream they stand; a file replaces a
  /// directory and the other way round; missing parents become implied directories; a symbolic
  /// link in the middle of an entry's name is followed inside the root, and anything else in the
  /// middle that is no directory becomes one. Hard links take the metadata of their target.
  /// Entries that make no sense (a hard link to nothing) are an Error naming them.
  /// Returns the number of the layer.
  std::uint32_t apply(const LayerIndex& layer);

  std::uint32_t layer_count() const noexcept { return layers_; }

  /// The node with exactly this name: no symbolic link is followed, not even in the middle.
  const Node* find(const RootedPath& path) const;

  /// The name that `path` leads to when symbolic links in the middle, and with `Last::follow` at
  /// the end, are followed inside the root. What does not exist is taken as it is written.
  /// @throws Error after 255 links
  using Last = LastLink;
  RootedPath resolve(const RootedPath& path, Last last) const;
  /// find(resolve(path, last))
  const Node* lookup(const RootedPath& path, Last last) const;

  /// Every path and node, a directory before what is in it, siblings bytewise.
  void walk(const std::function<void(const RootedPath&, const Node&)>& visit) const;

private:
  class Applier;

  std::unique_ptr<Node> root_;
  std::uint32_t layers_ = 0;
};

} // namespace cairn
