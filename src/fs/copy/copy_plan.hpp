#pragma once

#include "fs/archive/entry.hpp"
#include "util/rooted_path.hpp"

#include <cstddef>
#include <vector>

namespace cairn {

/// Where the content of an entry is.
struct CopyContent {
  enum class Kind { none, view, given, archive } kind = Kind::none;
  std::size_t source = 0; ///< Index of CopyRequest::sources.
  RootedPath path;        ///< view: the file; archive from a view: the archive. Links resolved.
  std::size_t member = 0; ///< archive: index of GivenArchive::entries.
};

/// The layer that a COPY makes. Entries are in path order, hard links after their targets;
/// directories that lie above new entries are repeated as the Tree has them, so that the layer
/// stands alone.
struct CopyPlan {
  std::vector<LayerEntry> entries;
  std::vector<CopyContent> contents; ///< One for each entry.

  bool empty() const noexcept { return entries.empty(); }
};

} // namespace cairn
