#include "run/supervised_devices.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

struct Device {
  const char* name;
  unsigned minor;
};

constexpr unsigned memory_devices = 1;
constexpr unsigned terminals = 5;
constexpr Device devices[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};

constexpr const char* links[][2] = {{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
                                    {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
                                    {"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"}};

/// False where nodes cannot be made, or opened.
bool make_device(FdRef directory, const char* name, dev_t number) {
  return ::mknodat(directory.get(), name, S_IFCHR | 0666, number) == 0 &&
         ::fchmodat(directory.get(), name, 0666, 0) == 0;
}

bool can_open(FdRef directory, const char* name) {
  return static_cast<bool>(Fd(::openat(directory.get(), name, O_RDONLY | O_CLOEXEC)));
}

void make_directory(FdRef directory, const char* name, mode_t mode) {
  if (::mkdirat(directory.get(), name, mode) != 0 ||
      ::fchmodat(directory.get(), name, mode, 0) != 0)
    throw SysError(errno, "create directory '{}'", name);
}

} // namespace

std::vector<std::string> make_devices(const std::string& path) {
  const auto directory = open_directory(path);
  if (::fchmod(directory.get(), 0755) != 0)
    throw SysError(errno, "change mode of '{}'", path);
  std::vector<std::string> unusable;
  for (const auto& device : devices) {
    if (make_device(directory, device.name, ::makedev(memory_devices, device.minor)) &&
        can_open(directory, device.name))
      continue;
    unusable.emplace_back(device.name);
    if (::faccessat(directory.get(), device.name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
      open_at(directory, device.name, O_WRONLY | O_CREAT, 0666);
  }
  // Without a terminal it cannot be opened anywhere.
  (void)make_device(directory, "tty", ::makedev(terminals, 0));
  for (const auto& [text, name] : links)
    if (::symlinkat(text, directory.get(), name) != 0)
      throw SysError(errno, "link '{}' in /dev", name);
  make_directory(directory, "pts", 0755);
  make_directory(directory, "shm", 01777);
  make_directory(directory, "mqueue", 01777);
  return unusable;
}

std::string make_own_descriptors(const std::string& directory) {
  auto path = directory + "/self/fd";
  const auto processes = open_directory(directory);
  make_directory(processes, "self", 0555);
  const auto self = open_directory(directory + "/self");
  make_directory(self, "fd", 0555);
  if (::symlink("/dev/null", (path + "/0").c_str()) != 0)
    throw SysError(errno, "link '{}/0'", path);
  return path;
}

} // namespace cairn
