#pragma once

#include "fs/archive/layer.hpp"
#include "util/stream.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace cairn {

/// How many bytes told_compression() wants to see.
inline constexpr std::size_t told_by = 4;
/// What the first bytes of a stream say: gzip, zstd, or that it is neither.
Compression told_compression(std::string_view start);

/// A sink that compresses into `to`. finish() writes the end of the stream. The same bytes give
/// the same result on every machine, whatever the sizes of the writes.
std::unique_ptr<Sink> make_compressor(Sink& to, const CompressionChoice& choice);

/// A source of what `from` holds in compressed form; several members or frames in a row are one
/// stream. @throws Error (while reading) on damaged or truncated input
std::unique_ptr<Source> make_decompressor(Source& from, Compression method);

/// The same for what the first bytes say: gzip, zstd, bzip2 or xz; anything else is passed on as it
/// is. Layers whose media type is wrong are read by it, as other tools do, and what ADD unpacks.
std::unique_ptr<Source> make_decompressor(Source& from);

} // namespace cairn
