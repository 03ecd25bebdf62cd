#pragma once

#include "fs/tree/layer_index.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <string>

namespace cairn {

/// The index of a layer as it is kept and sent: what write_index() writes, in one zstd frame.
struct PackedIndex {
  std::string bytes;

  bool operator==(const PackedIndex&) const = default;
};

inline constexpr std::uint64_t most_packed_bytes = std::uint64_t{32} << 20;
inline constexpr std::uint64_t most_index_bytes = std::uint64_t{64} << 20;

/// The same layer gives the same bytes. Texts that are not those of their entries are left out.
/// @throws Error when it is too large to be read back
PackedIndex pack_index(const IndexedLayer& layer);

/// Reads what pack_index() made. Whoever wrote it, the result is one that some layer could have.
/// @throws Error when it is damaged, too large, or of no layer
IndexedLayer unpack_index(Source& from);

} // namespace cairn
