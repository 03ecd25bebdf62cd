#pragma once

#include "util/fd.hpp"
#include "util/rooted_path.hpp"

#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// The places in a root that mounts cover. Those that the root lacks are made before the command
/// and taken away after it; what the command itself did to them stays.
class MountPoints {
public:
  enum class Kind {
    file,
    directory,
    open_directory ///< The same; where it is made anybody may write to it, as to /tmp.
  };

  /// `root` is what the command will see, `changes` where changes to it arrive: the upper
  /// directory of an overlay, otherwise the root itself.
  MountPoints(Fd root, Fd changes) : root_(std::move(root)), changes_(std::move(changes)) {}
  MountPoints(const MountPoints&) = delete;
  MountPoints& operator=(const MountPoints&) = delete;
  ~MountPoints(); ///< Does what remove() does; what is in its way stays, quietly.

  /// Follows links inside the root and makes what is missing. The caller then covers the place,
  /// before the next one is prepared. @return the path without links, relative to the root, "." for
  /// the root itself. @throws SysError
  std::string prepare(const RootedPath& target, Kind kind);

  /// All mounts are made and the command is about to start.
  void settle();
  /// Lets go of the root, so that an overlay can be unmounted.
  void release_root() noexcept { root_.reset(); }
  /// Call when the root is no longer mounted. Keeps the times of the directories around.
  /// @throws SysError
  void remove();

private:
  struct Made {
    std::string path;
    Kind kind = Kind::file;
    /// An earlier command removed what was here: overlayfs has replaced its mark.
    bool was_whiteout = false;
  };
  /// A directory that overlayfs copied up because something was made in it.
  struct CopiedUp {
    std::string path;
    struct stat info {};
  };
  class Walk;

  void make(const Walk& walk, const std::string& name, Kind kind);
  bool is_covered(const std::string& path) const;

  Fd root_;
  Fd changes_;
  std::vector<std::string> covered_; ///< All that was prepared.
  std::vector<Made> made_;
  std::vector<CopiedUp> copied_up_;
};

} // namespace cairn
