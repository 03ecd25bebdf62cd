#pragma once

#include "run/mounts/mount_points.hpp"
#include "run/process/runner.hpp"
#include "util/fd.hpp"

#include <string>
#include <vector>

namespace cairn {

/// Mounts where nothing can be mounted: a bind is its source itself or a symbolic link to it, a
/// tmpfs an ordinary directory, a file an ordinary file. What was at the place is moved aside and
/// comes back. What is read-only has to be kept so by whoever runs the command, and what that
/// writes to a bind arrives at its source.
class EmulatedMounts {
public:
  struct Where {
    std::string root =
        "/"; ///< Absolute and free of links. No link leads out of any other than "/".
    /// Where things are moved aside: a directory on the root's file system. Without one that is the
    /// directory in which each of them lies.
    std::string aside;
  };

  /// In the container's own "/". @throws SysError when a place cannot be taken, for instance
  /// because it is a real mount point
  explicit EmulatedMounts(const std::vector<CommandMount>& mounts) : EmulatedMounts(mounts, {}) {}
  EmulatedMounts(const std::vector<CommandMount>& mounts, Where where);
  EmulatedMounts(const EmulatedMounts&) = delete;
  EmulatedMounts& operator=(const EmulatedMounts&) = delete;
  ~EmulatedMounts(); ///< Does what remove() does, quietly.

  /// Where the binds and files are that must not be written to; absolute, without links. What is
  /// written to a file is lost, too.
  const std::vector<std::string>& read_only() const noexcept { return read_only_; }

  /// Puts everything back. @throws SysError
  void remove();

private:
  struct Place {
    std::string path; ///< Without links.
    std::string aside;
    std::string source; ///< What was moved to the place and has to go back; may be empty.
    dev_t device = 0;   ///< Of that.
    ino_t inode = 0;
    Fd file = {}; ///< What was made at the place, whatever names it has later.
  };

  void add(const BindMount& mount);
  void add(const TmpfsMount& mount);
  void add(const FileMount& mount);
  static void empty(const Place& place);
  static void give_back(const Place& place);
  /// Moves away what is at `target`, after it was made to exist. @return the free place
  Place& take(const RootedPath& target, MountPoints::Kind kind);

  std::string absolute(const std::string& relative) const;
  std::string place_aside(const std::string& path) const;

  Where where_;
  MountPoints points_;
  std::vector<Place> places_;
  std::vector<std::string> read_only_;
};

} // namespace cairn
