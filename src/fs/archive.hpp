#pragma once

#include "util/stream.hpp"

#include <memory>

namespace cairn {

/// Undoes bzip2 and xz, which ADD unpacks too. @throws Error (while reading) on damage
std::unique_ptr<Source> make_libarchive_filter(Source& from);

} // namespace cairn
