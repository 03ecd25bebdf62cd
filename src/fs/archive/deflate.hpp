#pragma once

#include "util/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace cairn {

/// How far back in a stream a match may reach (RFC 1951 section 2).
inline constexpr std::size_t deflate_window = std::size_t{32} * 1024;

/// Compresses a deflate stream (RFC 1951) one block at a time. A block depends on nothing but its
/// bytes and the window before it, so several of these, one for each thread, share a stream.
class DeflateCodec {
public:
  enum class End { more_follows, last };

  virtual ~DeflateCodec() = default;
  /// Appends the compressed form of `block`, which ends on a byte boundary. `window` is what
  /// precedes it in the stream, at most deflate_window bytes.
  virtual void compress(std::span<const std::byte> window, std::span<const std::byte> block,
                        End end, std::vector<std::byte>& out) = 0;
};

/// ISA-L. @pre level is 1 or 2
std::unique_ptr<DeflateCodec> make_fast_deflate(int level);
/// zlib. @pre level is 0 to 9
std::unique_ptr<DeflateCodec> make_small_deflate(int level);

/// CRC-32 of RFC 1952, continued from `crc`; 0 to begin.
std::uint32_t gzip_crc(std::uint32_t crc, std::span<const std::byte> bytes);

/// Reads a gzip stream of one or more members (RFC 1952), checksums verified.
/// @throws Error (while reading) on damage, truncation, or anything that is no member at the end
std::unique_ptr<Source> make_gunzip(Source& from);

} // namespace cairn
