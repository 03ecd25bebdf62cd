#pragma once

#include "util/fd.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace cairn {

/// Entries of a directory that several programs share, which this one uses: nobody removes them
/// while it does, and they are the last ones that are removed to make room. An entry is a file or a
/// directory; the right to it is a shared lock (flock(2)), the time of its last use is its atime.
/// Works in directories that cannot be written too. Thread-safe.
class HeldEntries {
public:
  /// Holds the entry as long as this value lives. False when there is none that can be read.
  bool hold(const std::string& path);

  /// Records that an entry is used, without holding it. Quiet when that is not possible.
  static void touch(const std::string& path) noexcept;

private:
  std::mutex mutex_;
  std::map<std::string, Fd> held_;
};

/// The right to remove an entry: nothing when somebody uses it. @throws SysError
std::optional<Fd> claim_entry(FdRef directory, const std::string& name);

} // namespace cairn
