#include "util/beneath.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace cairn {

namespace {

// ELOOP is what O_NOFOLLOW and RESOLVE_NO_SYMLINKS say of a link: for the caller a link in the
// middle is a name that has nothing below it.
bool is_absent(int error) noexcept {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

std::optional<Fd> open_step(FdRef directory, const std::string& name, int flags) {
  const int fd = ::openat(directory.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0)
    return Fd(fd);
  if (is_absent(errno))
    return std::nullopt;
  throw SysError(errno, "open '{}'", name);
}

std::optional<Fd> open_step_by_step(FdRef root, const RootedPath& path, int flags) {
  if (path.is_root())
    return open_step(root, ".", flags);
  const auto parts = path.components();
  Fd held;
  FdRef at = root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    auto next = open_step(at, std::string(parts[i]), O_PATH | O_DIRECTORY);
    if (!next)
      return std::nullopt;
    held = std::move(*next);
    at = held;
  }
  return open_step(at, std::string(parts.back()), flags);
}

} // namespace

std::optional<Fd> open_beneath(FdRef root, const RootedPath& path, int flags) {
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const auto fd = ::syscall(SYS_openat2, root.get(), path.relative(), &how, sizeof how);
    if (fd >= 0)
      return Fd(static_cast<int>(fd));
    if (is_absent(errno))
      return std::nullopt;
    // Seccomp profiles older than the call answer EPERM for it.
    if (errno == ENOSYS || errno == EPERM)
      return open_step_by_step(root, path, flags);
    if (errno != EINTR && errno != EAGAIN)
      throw SysError(errno, "open '{}'", path.str());
  }
}

} // namespace cairn
