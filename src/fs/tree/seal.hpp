#pragma once

#include "util/fd.hpp"

#include <optional>
#include <string>

namespace cairn {

/// A seal tells whether a directory is what it was when it was finished. It is a digest over what
/// stat(2) says of everything in it: names, types, owners, modes, sizes, and the times of the last
/// changes, of which ctime cannot be set. Content is not read, and inode numbers do not count: some
/// file systems give new ones with each mount.

/// The seal that the directory ought to have now, as 64 hex digits. @throws SysError
std::string seal_of(FdRef directory);

/// The seal that the directory was given, an extended attribute of it; nothing when there is none.
std::optional<std::string> read_seal(FdRef directory);
/// Gives the directory a seal, and sees to it that the disk has it. What is in the directory has to
/// be there already. @throws SysError
void write_seal(FdRef directory, const std::string& seal);

} // namespace cairn
