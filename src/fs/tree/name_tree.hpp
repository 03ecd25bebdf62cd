#pragma once

#include "fs/archive/text_pool.hpp"
#include "util/block_vector.hpp"
#include "util/rooted_path.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn {

/// The names in a file system, and which directory each is in: the skeleton of what is known by
/// path. A name has a number, for whoever knows more about it; numbers of names that were removed
/// are used again. The names in a directory are a balanced tree (an AA tree), so that no order of
/// changes is a slow one. A name takes 20 bytes, and its text.
class NameTree {
public:
  using Number = std::uint32_t;
  static constexpr Number root = 0;
  static constexpr Number none = 0; ///< Where a name in a directory is meant.

  NameTree();

  /// Numbers are less than this.
  std::size_t limit() const noexcept { return nodes_.size(); }
  std::string_view name(Number number) const noexcept { return texts_.at(nodes_[number].name); }

  /// The name in a directory; `none` if it is not there.
  Number child(Number directory, std::string_view name) const noexcept;
  bool has_children(Number directory) const noexcept { return nodes_[directory].children != none; }
  /// What has exactly this path: `root` for "/" alone, nothing when it is not there.
  std::optional<Number> find(const RootedPath& path) const noexcept;

  /// The same, added if it is not there.
  Number add(Number directory, std::string_view name);
  /// Removes a name with all below it. @pre it is in the directory
  void remove(Number directory, Number child);
  /// Removes all that is in a directory.
  void remove_children(Number directory);

  /// The numbers of what is in a directory, by their names bytewise. Nothing may change meanwhile.
  class Children;
  Children children(Number directory) const noexcept;

private:
  struct Node {
    TextPool::Position name = 0;
    Number left = none; ///< Of names that are free: the next of them.
    Number right = none;
    Number children = none; ///< The topmost of a balanced tree.
    std::uint8_t level = 0; ///< In the tree of its siblings; 0 for none alone.
  };

  Number insert(Number top, std::string_view name, Number& found);
  Number take_out(Number top, std::string_view name);
  Number make(std::string_view name);
  void free_all(Number top);
  Number skew(Number top) noexcept;
  Number split(Number top) noexcept;
  Number lower(Number top) noexcept;

  BlockVector<Node> nodes_;
  TextPool texts_;
  Number free_ = none;
};

class NameTree::Children {
public:
  class Iterator {
  public:
    Number operator*() const noexcept { return way_[depth_ - 1]; }
    Iterator& operator++() noexcept;
    /// Both at their end.
    bool operator==(const Iterator& other) const noexcept { return depth_ == other.depth_; }

  private:
    friend Children;
    explicit Iterator(const NameTree& names) : names_(&names) {}
    void go_down(Number top) noexcept;

    // Twice the levels of a tree of 32 bits.
    static constexpr std::size_t deepest = 66;

    const NameTree* names_;
    std::size_t depth_ = 0;
    std::array<Number, deepest> way_; // those that come before what is to their right
  };

  Iterator begin() const noexcept;
  Iterator end() const noexcept { return Iterator(names_); }

private:
  friend NameTree;
  Children(const NameTree& names, Number top) : names_(names), top_(top) {}

  const NameTree& names_;
  Number top_;
};

inline NameTree::Children NameTree::children(Number directory) const noexcept {
  return {*this, nodes_[directory].children};
}

} // namespace cairn
