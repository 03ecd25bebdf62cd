#pragma once

#include "util/fd.hpp"
#include "util/rooted_path.hpp"

#include <optional>

namespace cairn {

/// Opens a path inside `root` without following any symbolic link, in the middle or at the end
/// (a link itself can be opened with O_PATH). Nothing when it does not exist or leads through
/// something that is no directory. Works on kernels without openat2(2), too. @throws SysError
std::optional<Fd> open_beneath(FdRef root, const RootedPath& path, int flags);

} // namespace cairn
