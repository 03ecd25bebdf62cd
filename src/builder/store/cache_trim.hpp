#pragma once

#include "util/clock.hpp"
#include "util/progress.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace cairn {

/// What making room has come to.
struct CacheTrim {
  std::uint64_t before = 0; ///< Bytes on the disk, of all that counts.
  std::uint64_t after = 0;
  std::size_t removed = 0; ///< Entries.
};

/// Makes a --cache-dir hold at most `limit` bytes, as far as it holds what nobody uses: blobs,
/// names, steps, indexes, unpacked layers, cache mounts, git repositories, downloads and what
/// kaniko's warmer left are entries, and those that were not used for the longest time are removed.
/// What killed programs left goes as well. Of several programs that do this at the same time
/// one does it. Quiet about what cannot be removed. @throws SysError when there is no directory
CacheTrim trim_cache(const std::string& directory, std::uint64_t limit, Time now);

/// Removes what killed programs left in a --cache-dir: directories that nobody has locked, files
/// that are a day old. Quiet.
void remove_leftovers(const std::string& directory, Time now) noexcept;

/// The same as trim_cache(), told to `progress`; without a limit nothing is done. Does not throw.
void keep_cache_small(const std::string& directory, std::uint64_t limit, Time now,
                      Progress& progress) noexcept;

} // namespace cairn
