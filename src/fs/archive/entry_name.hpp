#pragma once

#include "util/rooted_path.hpp"

#include <cstddef>
#include <string_view>

namespace cairn {

/// What becomes of the names in an archive that are not below its root.
enum class TarNames {
  strict, ///< A ".." or an empty name is an Error: layers of images.
  rooted, ///< As from inside a chroot: ".." stops at the root, an empty name is the root.
};

/// The place that the name of an entry, or the target of a hard link, means: leading slashes and
/// "./" go. @throws Error also when it is longer than `limit` bytes
RootedPath parse_entry_name(std::string_view name, std::size_t limit, TarNames names);

} // namespace cairn
