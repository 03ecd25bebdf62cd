#pragma once

#include "fs/tree/changes.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// What a Snapshot knows of a file: 56 bytes, beside its name.
struct SnapshotItem {
  static constexpr auto no_listing = std::numeric_limits<std::uint32_t>::max();

  std::uint64_t inode = 0;
  Time ctime{};
  Time mtime{};
  std::uint64_t size = 0;
  std::uint32_t mode = 0; ///< With the type.
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t device = 0;
  std::uint32_t name = 0;             ///< Where it is in its listing's names.
  std::uint32_t listing = no_listing; ///< Of a directory: which one tells what is in it.

  bool is_directory() const { return S_ISDIR(mode); }
  bool same_as(const SnapshotItem& other) const noexcept;
};

/// What is in one directory, by names bytewise.
struct SnapshotListing {
  std::vector<SnapshotItem> items;
  std::string names; ///< Each with a NUL at its end.

  std::string_view name(std::size_t n) const noexcept { return names.c_str() + items[n].name; }
};

/// Those of all directories below a root, the root's first. In what order the others stand means
/// nothing.
using SnapshotListings = std::deque<SnapshotListing>;

/// Looks at everything below a root but sockets and what is ignored, with up to so many threads,
/// this one among them. @throws Error, what `ignored` throws
SnapshotListings walk_for_snapshot(FdRef root, const PathFilter& ignored, std::size_t threads);

} // namespace cairn
