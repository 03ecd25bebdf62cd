#pragma once

#include "util/clock.hpp"

#include <compare>
#include <cstdint>

namespace cairn {

/// What stat(2) says of a regular file that changes whenever the file does, as git's index has it:
/// a program cannot set ctime.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  Time ctime{};
  Time mtime{};
  std::uint64_t size = 0;

  auto operator<=>(const FileStamp&) const = default;
};

} // namespace cairn
