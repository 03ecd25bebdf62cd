#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/expansion.hpp"
#include "fs/archive/tar.hpp"
#include "oci/digest.hpp"
#include "util/stream.hpp"

#include <functional>
#include <optional>

namespace cairn {

/// Sees an entry, and may read its content from the reader.
using EntryVisitor = std::function<void(const LayerEntry&, TarReader&)>;

/// Streams a layer's blob through decompression and shows each entry to `visit`; returns the diff
/// id. Decompression runs ahead in a thread of its own. How it is compressed the
/// first bytes say: registries hold layers whose media type is wrong.
/// @throws Error when the blob is damaged, has another diff id than the one given or is unpacked to
/// more than `limit` allows
Digest read_layer(Source& blob, const std::optional<Digest>& diff_id, const EntryVisitor& visit,
                  ExpansionLimit limit = {});

} // namespace cairn
