#pragma once

#include "fs/archive/entry.hpp"
#include "util/fd.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Whether an attribute found in an archive is put on a file. Not so: what overlayfs keeps its
/// own notes in, which would let an archive forge them; ACLs and SELinux labels, which speak of
/// the machine where the archive was made.
bool xattr_may_be_unpacked(std::string_view name) noexcept;

/// Whether an attribute found on a file belongs to an image: capabilities and what users set.
bool xattr_belongs_in_layer(std::string_view name) noexcept;

/// Those attributes of an open file that belong in a layer, sorted by name. @throws SysError
std::vector<Xattr> read_xattrs(FdRef file);

/// The names of all attributes of `name` in a directory, which is not opened. No link is followed.
/// @throws SysError
std::vector<std::string> list_xattrs(FdRef directory, const std::string& name);

} // namespace cairn
