#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/metadata_pool.hpp"
#include "fs/archive/path_pool.hpp"
#include "util/block_vector.hpp"
#include "util/copy_on_write.hpp"

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// A list of the entries of a layer, for layers of millions of them: what neighbours have in common
/// is kept once, so that an entry takes some 40 bytes. It reads like a vector whose elements come
/// by value, and copying it takes no time. Entries may stand in any order; those of a directory
/// take less when they stand together.
class LayerEntries {
public:
  LayerEntries() = default;
  LayerEntries(std::initializer_list<LayerEntry> entries);
  LayerEntries(const std::vector<LayerEntry>& entries);

  std::size_t size() const noexcept { return list_->rows.size(); }
  bool empty() const noexcept { return list_->rows.empty(); }

  /// @pre n < size()
  LayerEntry operator[](std::size_t n) const;
  RootedPath path(std::size_t n) const;
  std::string_view name(std::size_t n) const; ///< Of `path`. Valid until the list changes.
  /// @throws Error unless n < size()
  LayerEntry at(std::size_t n) const;
  LayerEntry front() const { return (*this)[0]; } ///< @pre !empty()
  LayerEntry back() const { return (*this)[size() - 1]; }

  void push_back(const LayerEntry& entry);
  /// Before the one at `n`, or at the end. Takes as long as the list.
  void insert(std::size_t n, const LayerEntry& entry);

  class Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = LayerEntry;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = LayerEntry;

    LayerEntry operator*() const { return (*entries_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      auto before = *this;
      ++at_;
      return before;
    }
    bool operator==(const Iterator& other) const noexcept = default;

  private:
    friend LayerEntries;
    Iterator(const LayerEntries& entries, std::size_t at) : entries_(&entries), at_(at) {}

    const LayerEntries* entries_;
    std::size_t at_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

private:
  struct Row {
    PathPool::Packed path;
    MetadataPool::Packed meta;
  };
  struct List {
    BlockVector<Row> rows;
    PathPool paths;
    MetadataPool metadata;
    PathPool targets;
    std::vector<std::pair<std::size_t, PathPool::Packed>> hard_links; ///< By row, in its order.
  };

  CopyOnWrite<List> list_;
};

} // namespace cairn
