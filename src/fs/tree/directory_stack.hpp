#pragma once

#include "util/fd.hpp"
#include "util/rooted_path.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// A place below a root as the chain of directories that lead to it, each opened by its name in
/// the one above and never through a symbolic link. Paths may be longer than PATH_MAX; few of the
/// directories are open at a time. Whoever removes or renames one of them must go up first.
class DirectoryStack {
public:
  /// `root` must outlive it.
  explicit DirectoryStack(FdRef root) : root_(root) {}

  std::size_t depth() const noexcept { return levels_.size(); }
  /// The name of the directory at `level`, counted from 0 below the root.
  const std::string& name(std::size_t level) const { return levels_[level].name; }
  /// The directory that the chain leads to, for the *at() calls. @throws SysError
  FdRef top();

  enum class Enter { entered, missing, no_directory };
  /// Goes down into `name`. A symbolic link is no directory. @throws SysError, Error when too deep
  Enter enter(const std::string& name);
  /// Goes to a directory by the shortest way. False, at some place on it, when there is none of
  /// that name. @throws SysError, Error when too deep
  bool go_to(const RootedPath& directory);
  /// Goes up until `depth` names are left.
  void leave_to(std::size_t depth);

private:
  struct Level {
    std::string name;
    Fd fd; ///< None while closed.
  };

  FdRef fd_of(std::size_t depth);

  FdRef root_;
  std::vector<Level> levels_;
};

} // namespace cairn
