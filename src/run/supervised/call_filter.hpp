#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cairn {

/// A system call that is stopped until a supervisor has answered it. Numbers are those of the
/// machine that this is compiled for (sys/syscall.h).
struct TrappedCall {
  /// Calls with one of these flags in this argument are not stopped, or those with no address in
  /// it.
  struct Pass {
    unsigned argument = 0;
    std::uint32_t flags = 0; ///< 0: the argument is an address.
  };

  int number = 0;
  std::optional<Pass> pass = std::nullopt;
};

constexpr std::uint32_t any_flag = ~std::uint32_t{0};

/// The filter of system calls (seccomp(2)) that stops `calls` and those of another architecture
/// (is_foreign()). io_uring, by which files could be opened unseen, and calls by which they could
/// be changed so give ENOSYS; everything else passes.
std::vector<sock_filter> make_call_filter(std::span<const TrappedCall> calls);

/// Whether a call is one of i386's or x32's, whose numbers and structures mean something else.
bool is_foreign(const seccomp_data& call) noexcept;

} // namespace cairn
