#include "util/fd.hpp"

#include "util/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

void Fd::reset() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

FdRef current_directory() noexcept {
  return FdRef(AT_FDCWD);
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw SysError(errno, "create pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::size_t read_some(FdRef fd, std::span<std::byte> buffer) {
  for (;;) {
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count >= 0)
      return static_cast<std::size_t>(count);
    if (errno != EINTR)
      throw SysError(errno, "read");
  }
}

std::size_t read_full(FdRef fd, std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto count = read_some(fd, buffer.subspan(filled));
    if (count == 0)
      break;
    filled += count;
  }
  return filled;
}

void write_all(FdRef fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd.get(), bytes.data(), bytes.size());
    if (count >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    else if (errno == EFBIG)
      throw with_hint(SysError(EFBIG, "write"), "a limit on the size of files (ulimit -f) is set");
    else if (errno != EINTR)
      throw SysError(errno, "write");
  }
}

} // namespace cairn
