#pragma once

#include "fs/archive/layer_entries.hpp"
#include "fs/copy/copy_contents.hpp"

namespace cairn {

/// The layer that a COPY makes. Entries are in path order, hard links after their targets;
/// directories that lie above new entries are repeated as the Tree has them, so that the layer
/// stands alone.
struct CopyPlan {
  LayerEntries entries;
  CopyContents contents; ///< One for each entry.

  bool empty() const noexcept { return entries.empty(); }
};

} // namespace cairn
