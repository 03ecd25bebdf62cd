#include "run/supervised/remote_memory.hpp"

#include "run/mounts/mount_calls.hpp"
#include "util/fd.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cairn {

namespace {

constexpr std::uint64_t page = 4096;
constexpr std::size_t usual_path = 256;

} // namespace

bool is_no_address(int error) noexcept {
  return error == EIO || error == EINVAL;
}

RemoteText read_remote_path(std::uint64_t address, const RemoteRead& read) {
  RemoteText found;
  if (address == 0)
    return {{}, EFAULT};
  char buffer[page];
  while (found.text.size() < max_remote_path) {
    // Most paths are short. A read never goes beyond its page, behind which nothing may be mapped.
    const auto left = page - address % page;
    const auto wanted = std::min({found.text.empty() ? std::uint64_t{usual_path} : left, left,
                                  std::uint64_t{max_remote_path - found.text.size()}});
    const auto count = read(address, std::span(buffer, wanted));
    if (count <= 0)
      return {{}, count == 0 ? EFAULT : static_cast<int>(-count)};
    const auto got = std::min(static_cast<std::size_t>(count), static_cast<std::size_t>(wanted));
    if (const auto* end = static_cast<const char*>(std::memchr(buffer, 0, got)); end != nullptr) {
      found.text.append(buffer, static_cast<std::size_t>(end - buffer));
      return found;
    }
    found.text.append(buffer, got);
    address += got;
  }
  return {{}, ENAMETOOLONG};
}

ssize_t read_memory(pid_t thread, std::uint64_t address, std::span<char> buffer) noexcept {
  iovec here{buffer.data(), buffer.size()};
  // The address is another process's. NOLINTNEXTLINE(performance-no-int-to-ptr)
  iovec there{reinterpret_cast<void*>(address), buffer.size()};
  ssize_t count = ::process_vm_readv(thread, &here, 1, &there, 1, 0);
  if (count >= 0 || errno == EFAULT)
    return count >= 0 ? count : -EFAULT;
  // Refused by a profile of the container, or by this thread's real ids: /proc asks for less.
  const Fd memory(
      ::open(StackPath(StackPath("/proc", thread).c_str(), "mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory)
    return -errno;
  count = ::pread(memory.get(), buffer.data(), buffer.size(), static_cast<off_t>(address));
  if (count < 0)
    return is_no_address(errno) ? -EFAULT : -errno;
  return count;
}

} // namespace cairn
