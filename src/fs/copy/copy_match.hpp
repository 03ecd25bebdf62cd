#pragma once

#include "fs/tree/view.hpp"

#include <string>
#include <vector>

namespace cairn {

/// A file or directory that a source of COPY leads to.
struct CopyMatch {
  RootedPath path;     ///< As it was found; its name is that of the copy.
  RootedPath followed; ///< Where it leads when it is a symbolic link.
  ViewedFile file;     ///< What is there.
};

/// The files that `source` stands for, in the order in which they are copied: itself, or what fits
/// its wildcards (Go's filepath.Match on the part from the first wildcard on), which may be
/// nothing. `source` is cleaned. @throws Error when a name without wildcards does not exist
std::vector<CopyMatch> find_matches(const FileView& view, const RootedPath& source);

/// For what has exactly this name, no link being followed.
/// @throws Error `"src/x" is not in the build context` with a hint why
void require_in_view(const FileView& view, const RootedPath& path);

} // namespace cairn
