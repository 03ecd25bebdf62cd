#pragma once

#include "run/supervised/call.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <cstdint>
#include <optional>

// Linux 6.6 on all machines; older headers lack it.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace cairn {

/// What becomes of a last link with these flags of a call (AT_SYMLINK_NOFOLLOW).
FinalLink last_link(int flags) noexcept;

/// With this flag a call means a descriptor: no path leads anywhere.
constexpr std::uint32_t by_descriptor = AT_EMPTY_PATH;

/// Flags of open(2).
bool wants_to_write(int flags) noexcept;
bool makes_new(int flags) noexcept; ///< Only what was not there.
FinalLink last_link_of_open(int flags) noexcept;

/// What openat2(2) was given; nothing when that cannot be read.
std::optional<open_how> how_of(const Call& call);

} // namespace cairn
