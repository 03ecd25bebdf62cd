#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/layer_entries.hpp"
#include "fs/archive/metadata_pool.hpp"
#include "fs/tree/links.hpp"
#include "fs/tree/name_tree.hpp"
#include "util/block_vector.hpp"
#include "util/copy_on_write.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace cairn {

/// What a layer holds, in the order of its tar stream: enough to apply it to a Tree without its
/// bytes. The position in `entries` names an entry's content within the layer.
struct LayerIndex {
  LayerEntries entries;
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
/// A value: copies are independent, and making one takes no time. A file takes some 60 bytes. The
/// root directory always exists.
class Tree {
public:
  class Node;
  class Children;

  /// Adds a layer on top: later entries replace earlier ones, whiteouts remove what lower layers
  /// hold, opaque whiteouts all of it, wherever in the stream they stand; a file replaces a
  /// directory and the other way round; missing parents become implied directories; a symbolic
  /// link in the middle of an entry's name is followed inside the root, and anything else in the
  /// middle that is no directory becomes one. Hard links take the metadata of their target.
  /// Entries that make no sense (a hard link to nothing) are an Error naming them.
  /// Returns the number of the layer.
  std::uint32_t apply(const LayerIndex& layer);

  std::uint32_t layer_count() const noexcept { return state_->layers; }

  /// The node with exactly this name: no symbolic link is followed, not even in the middle.
  std::optional<Node> find(const RootedPath& path) const;

  /// The name that `path` leads to when symbolic links in the middle, and with `Last::follow` at
  /// the end, are followed inside the root. What does not exist is taken as it is written.
  /// @throws Error after 255 links
  using Last = LastLink;
  RootedPath resolve(const RootedPath& path, Last last) const;
  /// find(resolve(path, last))
  std::optional<Node> lookup(const RootedPath& path, Last last) const;

  /// Every path and node, a directory before what is in it, siblings bytewise.
  void walk(const std::function<void(const RootedPath&, const Node&)>& visit) const;

private:
  class Applier;

  /// What is known of a name, by its number.
  struct Row {
    MetadataPool::Packed meta;
    ContentRef content;
    std::uint32_t layer : 31 = 0;
    std::uint32_t implied : 1 = 0;
  };
  struct State {
    State();

    NameTree names;
    BlockVector<Row> rows; ///< Some of names that are gone.
    MetadataPool metadata;
    std::uint32_t layers = 0;
  };

  CopyOnWrite<State> state_;
};

/// A file of a Tree, which must not change as long as this is used.
class Tree::Node {
public:
  std::string_view name() const noexcept { return state_->names.name(number_); }
  FileType type() const noexcept { return state_->metadata.type(row().meta); }
  bool is_directory() const noexcept { return type() == FileType::directory; }
  std::uint64_t size() const noexcept { return state_->metadata.size(row().meta); }
  std::string_view link_target() const noexcept { return state_->metadata.link_target(row().meta); }
  Metadata meta() const { return state_->metadata.get(row().meta); }

  /// Of regular files. Names of one file (hard links) share it.
  ContentRef content() const noexcept { return row().content; }
  /// The last layer that holds an entry for it, or below it if implied.
  std::uint32_t layer() const noexcept { return row().layer; }
  /// Whether it is a directory that no layer holds an entry for: 0755 0:0.
  bool implied() const noexcept { return row().implied != 0; }

  /// What is in a directory, by names bytewise.
  Children children() const noexcept;
  std::optional<Node> child(std::string_view name) const noexcept;

private:
  friend Tree;
  Node(const State& state, NameTree::Number number) : state_(&state), number_(number) {}
  const Row& row() const noexcept { return state_->rows[number_]; }

  const State* state_;
  NameTree::Number number_;
};

class Tree::Children {
public:
  class Iterator {
  public:
    Node operator*() const noexcept { return {*state_, *at_}; }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

  private:
    friend Children;
    Iterator(const State& state, NameTree::Children::Iterator at) : state_(&state), at_(at) {}

    const State* state_;
    NameTree::Children::Iterator at_;
  };

  Iterator begin() const noexcept { return {state_, numbers_.begin()}; }
  Iterator end() const noexcept { return {state_, numbers_.end()}; }

private:
  friend Node;
  Children(const State& state, NameTree::Children numbers) : state_(state), numbers_(numbers) {}

  const State& state_;
  NameTree::Children numbers_;
};

inline Tree::Children Tree::Node::children() const noexcept {
  return {*state_, state_->names.children(number_)};
}

} // namespace cairn
