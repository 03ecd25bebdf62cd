#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cairn {

/// A system call that is stopped until a supervisor has answered it. Numbers are those of the
/// machine that this is compiled for (sys/syscall.h).
struct TrappedCall {
  /// Calls with one of these flags in this argument are not stopped.
  struct Pass {
    unsigned argument = 0;
    std::uint32_t flags = 0;
  };

  int number = 0;
  std::optional<Pass> pass = std::nullopt;
};

constexpr std::uint32_t any_flag = ~std::uint32_t{0};

/// The filter of system calls (seccomp(2)) that stops `calls`. Another architecture's calls (i386,
/// x32) and io_uring, by which files could be opened unseen, give ENOSYS; everything else passes.
std::vector<sock_filter> make_call_filter(std::span<const TrappedCall> calls);

} // namespace cairn
