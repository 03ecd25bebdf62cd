#pragma once

#include "util/fd.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace cairn {

/// Entries of directories that several programs share are files or directories. Who uses one has a
/// shared lock on it (flock(2)), and its atime is when it was last used. So nobody removes what is
/// in use, and what was not used for long goes first. All of it works where nothing can be written.

/// Takes part in the use of an open entry, until that is closed. False when somebody is about to
/// remove it.
bool lock_shared(FdRef entry);

/// Records that an entry is used. Quiet when that is not possible.
void touch_entry(const std::string& path) noexcept;

/// The right to remove an entry: nothing when somebody uses it, or it is gone. @throws SysError
std::optional<Fd> try_lock_exclusive(FdRef directory, const std::string& name);

/// True when `name` still is the file that is open.
bool is_entry(FdRef file, FdRef directory, const std::string& name) noexcept;

/// The entries that a program uses. Thread-safe.
class CacheLocks {
public:
  /// Holds the entry as long as this value lives. False when there is none that can be read.
  bool hold(const std::string& path);
  /// Lets go of one.
  void drop(const std::string& path);
  /// Lets go of all of them.
  void release();

private:
  std::mutex mutex_;
  std::map<std::string, Fd> held_;
};

} // namespace cairn
