#pragma once

#include "fs/tree/tree.hpp"
#include "util/fd.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace cairn {

/// Where a directory that somebody else has filled is not what a Tree says, as "'/etc/os' has 5
/// bytes instead of 6"; nothing when it is. Compared are the names, and of each file type, mode,
/// owner, size, link target, device number, time and the extended attributes that belong in
/// layers; not what files hold, their hard links, the times of directories (whoever unpacks
/// something in one changes its time), and the root directory itself. What is mounted below is a
/// difference, and so are an overlay's own notes (user.overlay.*), which would have a meaning when
/// the directory becomes a part of an overlay.
/// Up to `threads` threads look, this one among them; of several differences any may be told.
/// @throws Error when something cannot be looked at
std::optional<std::string> find_difference(const Tree& tree, FdRef directory, std::size_t threads);

} // namespace cairn
