#include "run/mounts/mount_calls.hpp"
#include "run/sandbox/sandbox.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cairn {

namespace {

/// Hides the directories that the links in `interfaces` lead to. 0 or an errno.
int mask_devices(const char* interfaces) noexcept {
  const int directory = ::open(interfaces, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return errno;
  int error = 0;
  alignas(dirent64) char buffer[4096];
  for (long filled = 1; error == 0 && filled > 0;) {
    filled = ::syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (filled < 0)
      error = errno;
    for (long at = 0; error == 0 && at < filled;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      at += entry->d_reclen;
      // A link whose neighbour was here before leads nowhere by now.
      if (entry->d_type == DT_LNK)
        error = mask_path(StackPath(StackPath(interfaces, entry->d_name).c_str(), "..").c_str());
    }
  }
  ::close(directory);
  return error;
}

} // namespace

void raise_loopback(const SandboxPlan& plan) noexcept {
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP;
  if (any < 0 || ::ioctl(any, SIOCSIFFLAGS, &request) != 0)
    give_up(plan.socket, SetupStep::raise_loopback, errno);
  ::close(any);
}

int hide_interfaces(const char* sys) noexcept {
  const StackPath interfaces(sys, "class/net");
  const StackPath loopback(interfaces.c_str(), "lo");
  // Every machine's loopback interface looks the same.
  const int device = ::open(loopback.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (device < 0)
    return mask_path(interfaces.c_str());
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  int error = mask_devices(interfaces.c_str());
  if (error == 0 &&
      (::mount("tmpfs", interfaces.c_str(), "tmpfs", flags, "size=64k,mode=755") != 0 ||
       ::mkdir(loopback.c_str(), 0755) != 0))
    error = errno;
  if (error == 0)
    error = bind_mount(StackPath("/proc/self/fd", device).c_str(), loopback.c_str(), MS_RDONLY);
  if (error == 0)
    error = add_mount_flags(interfaces.c_str(), MS_RDONLY);
  ::close(device);
  return error;
}

} // namespace cairn
