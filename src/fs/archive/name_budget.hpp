#pragma once

#include "fs/archive/entry.hpp"

#include <cstdint>

namespace cairn {

/// What the names of an archive's entries may take together: an index keeps them in memory, and a
/// compressed archive has room for gigabytes of them. For one archive.
class NameBudget {
public:
  /// @throws Error when the names and targets of links so far are more than 16 MiB, and more than
  /// 256 bytes each
  void add(const LayerEntry& entry);

private:
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

} // namespace cairn
