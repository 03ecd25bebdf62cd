#pragma once

#include "util/stream.hpp"

#include <cstddef>
#include <memory>

namespace cairn {

/// Writes one zstd frame (RFC 8878) with a checksum. The number of threads does not show in the
/// result, but whether the library has any does. @pre level is 1 to 22
std::unique_ptr<Sink> make_zstd_sink(Sink& to, int level, std::size_t threads);

/// Reads one or more frames; skippable ones are passed over. Windows of up to 128 MiB.
/// @throws Error (while reading) on damage or truncation
std::unique_ptr<Source> make_unzstd(Source& from);

} // namespace cairn
