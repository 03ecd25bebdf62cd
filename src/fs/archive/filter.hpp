#pragma once

#include "util/stream.hpp"

#include <memory>

namespace cairn {

/// What `from` holds behind bzip2 or xz, the filters that layers never use but archives do.
/// @throws Error (while reading) on damaged or truncated input
std::unique_ptr<Source> make_filter_source(Source& from);

} // namespace cairn
