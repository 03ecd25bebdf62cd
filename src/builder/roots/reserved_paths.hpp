#pragma once

#include "fs/tree/changes.hpp"
#include "util/rooted_path.hpp"

#include <string>
#include <vector>

namespace cairn {

/// Whose a path in the root of a build is, when it is not the image's.
enum class PathOwner {
  kernel,   ///< /proc, /sys, /dev
  runtime,  ///< Written by the container runtime, and by BuildKit's: /etc/hosts and its like.
  ignored,  ///< --ignore-path
  executor, ///< Its own directory and program.
  mount,    ///< Mounted into the pod.
  option    ///< Named by a flag or a variable.
};

/// A path that is kept out of the image, with all below it.
struct ReservedPath {
  RootedPath path;
  PathOwner owner = PathOwner::kernel;
  std::string option; ///< For PathOwner::option: "--context".

  /// True where no image can expect anything of its own, so that nothing has to be said.
  bool is_expected() const noexcept { return owner <= PathOwner::ignored; }
  /// "the pod's mount at '/data'".
  std::string description() const;
};

/// All of them, none inside another.
class ReservedPaths {
public:
  /// Of two equal paths the first counts; of one inside another the outer one. "/" is left out.
  void add(ReservedPath reserved);

  /// The one that is `path` or holds it; null when there is none. Valid until the next add().
  const ReservedPath* covering(const RootedPath& path) const;
  bool covers(const RootedPath& path) const { return covering(path) != nullptr; }
  /// The first below the directory `path`; null when there is none.
  const ReservedPath* inside(const RootedPath& path) const;

  const std::vector<ReservedPath>& all() const noexcept { return paths_; }
  /// covers(), of a copy.
  PathFilter filter() const;

private:
  std::vector<ReservedPath> paths_; ///< Sorted by path.
};

} // namespace cairn
