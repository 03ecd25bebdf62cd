#include "run/mounts/mount_calls.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cairn {

StackPath::StackPath(const char* directory, const char* name) noexcept {
  append(directory);
  append("/");
  append(name);
}

StackPath::StackPath(const char* directory, int number) noexcept {
  char digits[12] = {};
  std::size_t first = sizeof digits - 1;
  do
    digits[--first] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  append(directory);
  append("/");
  append(digits + first);
}

void StackPath::append(const char* part) noexcept {
  const auto length = std::min(std::strlen(part), sizeof text_ - 1 - size_);
  std::memcpy(text_ + size_, part, length);
  size_ += length;
}

int add_mount_flags(const char* target, unsigned long flags) noexcept {
  struct statfs info {};
  if (::statfs(target, &info) != 0)
    return errno;
  // The ST_ flags of statfs have the values of these MS_ flags.
  constexpr unsigned long known = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const auto held = static_cast<unsigned long>(info.f_flags) & known;
  if ((held | flags) == held)
    return 0;
  const auto wanted = MS_REMOUNT | MS_BIND | held | flags;
  return ::mount("none", target, nullptr, wanted, nullptr) == 0 ? 0 : errno;
}

int bind_mount(const char* source, const char* target, unsigned long flags) noexcept {
  // A user namespace may not see what lies under a mount: binding has to be recursive there.
  if (::mount(source, target, nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return errno;
  return flags == 0 ? 0 : add_mount_flags(target, flags);
}

int protect_mount(const char* target, Protected& how) noexcept {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  how = Protected::all;
  if (::mount_setattr(AT_FDCWD, target, AT_RECURSIVE, &attributes, sizeof attributes) == 0)
    return 0;
  how = Protected::top;
  return add_mount_flags(target, MS_RDONLY);
}

int mask_path(const char* path) noexcept {
  struct stat info {};
  if (::lstat(path, &info) != 0)
    return 0;
  if (!S_ISDIR(info.st_mode))
    return bind_mount("/dev/null", path, 0);
  constexpr unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  return ::mount("tmpfs", path, "tmpfs", flags, "size=0k,mode=755") == 0 ? 0 : errno;
}

int protect_path(const char* path) noexcept {
  struct statfs info {};
  if (::statfs(path, &info) != 0 || (info.f_flags & ST_RDONLY) != 0)
    return 0;
  return bind_mount(path, path, MS_RDONLY);
}

} // namespace cairn
