#include "run/supervised/call.hpp"

#include "run/mounts/mount_calls.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

RemoteText Call::path(unsigned index) const {
  auto found = read_remote_path(argument(index),
                                [&](std::uint64_t address, std::span<char> buffer) -> ssize_t {
                                  return read_memory(thread(), address, buffer);
                                });
  // If the call still waits it waited all the time, and what was read is its thread's.
  if (!listener_.is_waiting(id()))
    return {{}, ESRCH};
  return found;
}

int Call::read(std::uint64_t address, std::span<char> buffer) const {
  while (!buffer.empty()) {
    const auto count = read_memory(thread(), address, buffer);
    if (count <= 0)
      return count == 0 ? EFAULT : static_cast<int>(-count);
    address += static_cast<std::uint64_t>(count);
    buffer = buffer.subspan(static_cast<std::size_t>(count));
  }
  return listener_.is_waiting(id()) ? 0 : ESRCH;
}

int Call::write(std::uint64_t address, std::span<const char> bytes) const {
  const Fd memory(
      ::open(StackPath(StackPath("/proc", thread()).c_str(), "mem").c_str(), O_RDWR | O_CLOEXEC));
  if (!memory)
    return errno;
  // From here on the descriptor means the memory that it means now, whoever gets the number next.
  if (!listener_.is_waiting(id()))
    return ESRCH;
  while (!bytes.empty()) {
    const auto count =
        ::pwrite(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(address));
    if (count <= 0)
      return count == 0 || errno == EIO ? EFAULT : errno;
    address += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

} // namespace cairn
