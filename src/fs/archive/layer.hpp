#pragma once

#include "oci/digest.hpp"
#include "oci/media_type.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace cairn {

/// A finished layer: the digest of its uncompressed tar stream, and its blob.
struct Layer {
  Digest diff_id;
  Digest digest;          ///< Of the compressed bytes.
  std::uint64_t size = 0; ///< Compressed, bytes.
  Compression compression = Compression::gzip;
};

/// How layers are compressed. Levels as the command line gives them; nothing means the default.
struct CompressionChoice {
  Compression method = Compression::gzip;
  std::optional<int> level;
  std::size_t threads = 2; ///< Beside the caller's; the bytes are the same whatever it is.
};

} // namespace cairn
