#pragma once

#include "build/options.hpp"
#include "fs/changes.hpp"
#include "run/ladder.hpp"
#include "util/rooted_path.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Paths with all below them that belong to the machine and not to the image.
class Exclusions {
public:
  void add(const RootedPath& path);
  bool covers(const RootedPath& path) const;
  /// A copy as a function.
  PathFilter filter() const;

private:
  std::vector<RootedPath> paths_; ///< Sorted, none inside another.
};

/// The mount points that a text like /proc/self/mountinfo names, but not "/" (proc(5)).
std::vector<RootedPath> mount_points(std::string_view mountinfo);

/// What must be left alone on this rung: the kernel's file systems and --ignore-path; in place also
/// every mount point, and `own`, the paths that the executor itself needs.
Exclusions exclusions_for(Rung rung, const ExecutionOptions& options,
                          const std::vector<std::string>& own, std::string_view mountinfo);

} // namespace cairn
