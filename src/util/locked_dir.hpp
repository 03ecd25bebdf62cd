#pragma once

#include "util/fd.hpp"

#include <string>
#include <string_view>

namespace cairn {

/// A directory of its own, as TempDir, which others can tell from one whose program was killed: a
/// lock file in it is held as long as this value lives, also by the children that inherit it.
class LockedDir {
public:
  /// @throws SysError
  LockedDir(const std::string& parent, std::string_view prefix);
  LockedDir(const LockedDir&) = delete;
  LockedDir& operator=(const LockedDir&) = delete;
  ~LockedDir();

  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
  Fd lock_;
};

/// Removes the directories of LockedDir below `parent`, those of this user, that nobody holds. Of
/// several programs that do this at the same time each directory is one's. Quiet about what cannot
/// be removed.
void remove_abandoned(const std::string& parent, std::string_view prefix) noexcept;

} // namespace cairn
