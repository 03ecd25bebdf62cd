#pragma once

#include "fs/archive/path_pool.hpp"
#include "util/block_vector.hpp"
#include "util/rooted_path.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace cairn {

/// Where the content of an entry is.
struct CopyContent {
  enum class Kind : std::uint32_t { none, view, given, archive } kind = Kind::none;
  std::size_t source = 0; ///< Index of CopyRequest::sources.
  RootedPath path;        ///< view: the file; archive from a view: the archive. Links resolved.
  std::size_t member = 0; ///< archive: index of GivenArchive::entries.
};

/// That of many entries, each in 16 bytes and the text of a name.
class CopyContents {
public:
  std::size_t size() const noexcept { return rows_.size(); }

  /// @pre n < size()
  CopyContent operator[](std::size_t n) const;
  CopyContent::Kind kind(std::size_t n) const noexcept { return rows_[n].kind; }

  /// @throws Error when there are too many sources or members
  void push_back(const CopyContent& content);

  /// Some of these in another order: what their texts are is shared.
  class Choice;

private:
  struct Row {
    CopyContent::Kind kind : 2 = CopyContent::Kind::none;
    std::uint32_t source : 30 = 0;
    std::uint32_t member = 0;
    PathPool::Packed path;
  };

  PathPool::Packed add_path(const RootedPath& path);

  BlockVector<Row> rows_;
  PathPool paths_;
};

/// Makes a list out of what is in another.
class CopyContents::Choice {
public:
  /// `from` must outlive it.
  explicit Choice(const CopyContents& from) : from_(from) { made_.paths_ = PathPool(from.paths_); }

  void add(std::size_t n) { made_.rows_.push_back(from_.rows_[n]); }
  void add_none() { made_.rows_.push_back(Row()); }

  CopyContents finish() { return std::move(made_); }

private:
  const CopyContents& from_;
  CopyContents made_;
};

} // namespace cairn
