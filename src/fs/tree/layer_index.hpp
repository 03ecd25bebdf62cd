#pragma once

#include "fs/tree/tree.hpp"
#include "oci/digest.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace cairn {

/// What one layer contributes to a Tree, and the text of small files that are looked up later.
struct IndexedLayer {
  LayerIndex index;
  std::map<std::uint32_t, std::string> texts; ///< By the position of their entry.
};

/// Writes what reading a layer has told, so that it need not be read again. The form is Cairn's own
/// and ends with its SHA-256; another release may have another one.
/// @throws Error when a path has more than 64 KiB
void write_index(const IndexedLayer& layer, Sink& to);

/// The same read back. Takes no more memory than a small multiple of the bytes it reads.
/// @throws Error when it is damaged, of another form, has more entries than a layer may have, or
/// its names are beyond a NameBudget
IndexedLayer read_index(Source& from);

/// A digest over the names and metadata of a layer's entries, in their order. Not thread-safe.
class EntriesDigest {
public:
  EntriesDigest();
  EntriesDigest(EntriesDigest&&) noexcept;
  ~EntriesDigest();

  /// @throws Error when a path has more than 64 KiB
  void add(const LayerEntry& entry);
  /// Nothing may be added after it.
  Digest finish();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
