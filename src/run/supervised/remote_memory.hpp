#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace cairn {

/// Reads some bytes at an address of another process: at least one, or the negative errno.
using RemoteRead = std::function<ssize_t(std::uint64_t address, std::span<char> buffer)>;

/// A text of another process, or the errno that says why it could not be read.
struct RemoteText {
  std::string text;
  int error = 0;
};

/// The longest path that the kernel takes, with its NUL.
constexpr std::size_t max_remote_path = 4096;

/// Reads a path: the bytes up to a NUL. Never more than what `read` has to give: a text may end
/// where a page ends, with nothing mapped behind it. EFAULT without an address or where nothing can
/// be read, ENAMETOOLONG without a NUL in max_remote_path bytes.
RemoteText read_remote_path(std::uint64_t address, const RemoteRead& read);

/// A memory of another process, seen with this thread's rights. `thread` must be known to be what
/// it is meant to be after each call: numbers are used again.
ssize_t read_memory(pid_t thread, std::uint64_t address, std::span<char> buffer) noexcept;

/// Whether /proc/TID/mem says by this errno that nothing is at an address, or that it is none.
bool is_no_address(int error) noexcept;

} // namespace cairn
