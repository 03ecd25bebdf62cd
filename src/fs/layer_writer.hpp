#pragma once

#include "fs/compress.hpp"
#include "fs/entry.hpp"
#include "fs/expansion.hpp"
#include "fs/layer.hpp"
#include "fs/tar.hpp"
#include "fs/tree.hpp"
#include "oci/blob_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace cairn {

/// What happens to the modification times of entries that are written.
struct TimeRule {
  enum class Kind { keep, clamp, set } kind = Kind::keep;
  Time epoch{}; ///< clamp: later times become this one; set: all do.

  Time apply(Time mtime) const;
};

/// Gives the content of entry number `n`; called in order, once for each regular file that is no
/// hard link and not empty.
using ContentOpener = std::function<std::unique_ptr<Source>(std::size_t n)>;

/// Writes entries, which must be in path order with hard links after their targets, as a tar
/// archive. Does not finish the sink.
void write_tar(const std::vector<LayerEntry>& entries, const ContentOpener& open,
               const TimeRule& times, Sink& to);

/// Writes such entries as one layer, in one pass: tar, SHA-256, compressor, SHA-256, store.
/// Compression and hashing overlap.
Layer write_layer(const std::vector<LayerEntry>& entries, const ContentOpener& open,
                  const BlobStore& store, const CompressionChoice& choice, const TimeRule& times);

/// Sees an entry, and may read its content from the reader.
using EntryVisitor = std::function<void(const LayerEntry&, TarReader&)>;

/// Streams a layer's blob through decompression and shows each entry to `visit`; returns the diff
/// id. Decompression runs ahead in a thread of its own. `claimed` is what the media type says; as
/// registries hold layers whose type is wrong, the first bytes decide.
/// @throws Error when the blob is damaged, has another diff id than the one given or is unpacked to
/// more than `limit` allows
Digest read_layer(Source& blob, Compression claimed, const std::optional<Digest>& diff_id,
                  const EntryVisitor& visit, ExpansionLimit limit = {});

} // namespace cairn
