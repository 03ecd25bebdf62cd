#pragma once

#include "fs/archive/compress.hpp"
#include "fs/archive/entry.hpp"
#include "fs/archive/entry_content.hpp"
#include "fs/archive/expansion.hpp"
#include "fs/archive/layer.hpp"
#include "fs/archive/layer_entries.hpp"
#include "fs/archive/tar.hpp"
#include "fs/tree/tree.hpp"
#include "oci/blob_store.hpp"

namespace cairn {

/// What happens to the modification times of entries that are written.
struct TimeRule {
  enum class Kind { keep, clamp, set } kind = Kind::keep;
  Time epoch{}; ///< clamp: later times become this one; set: all do.

  Time apply(Time mtime) const;
};

/// Writes entries, which must be in path order with hard links after their targets, as a tar
/// archive. Does not finish the sink.
void write_tar(const LayerEntries& entries, const ContentOpener& open, const TimeRule& times,
               Sink& to);

/// Writes such entries as one layer, in one pass: tar, SHA-256, compressor, SHA-256, store.
/// Compression and hashing overlap.
Layer write_layer(const LayerEntries& entries, const ContentOpener& open, const BlobStore& store,
                  const CompressionChoice& choice, const TimeRule& times);

} // namespace cairn
