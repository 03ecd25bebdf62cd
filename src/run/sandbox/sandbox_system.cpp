#include "run/mounts/mount_calls.hpp"
#include "run/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/// Hides what container runtimes hide. A command may have the host's root as its owner, even in a
/// user namespace, and could otherwise write to /proc/sys.
int protect_proc(const char* proc) noexcept {
  for (const char* name : {"bus", "fs", "irq", "sys", "sysrq-trigger"}) {
    if (const int error = protect_path(StackPath(proc, name).c_str()); error != 0)
      return error;
  }
  for (const char* name : {"acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug",
                           "scsi", "timer_list", "timer_stats"}) {
    if (const int error = mask_path(StackPath(proc, name).c_str()); error != 0)
      return error;
  }
  return 0;
}

void make_device(const SandboxPlan& plan, const char* dev, const char* name) noexcept {
  const StackPath source("/dev", name);
  const StackPath target(dev, name);
  const int file = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0)
    give_up(plan.socket, SetupStep::make_device, errno);
  ::close(file);
  // A device inside a user namespace can only be one from outside.
  const int error = bind_mount(source.c_str(), target.c_str(), 0);
  if (error == ENOENT)
    ::unlink(target.c_str());
  else if (error != 0)
    give_up(plan.socket, SetupStep::make_device, error);
}

/// A directory in /dev with a file system of its own. 0 or an errno.
int mount_below(const char* dev, const char* name, const char* type, const char* options) noexcept {
  const StackPath target(dev, name);
  if (::mkdir(target.c_str(), 0755) != 0 && errno != EEXIST)
    return errno;
  unsigned long flags = MS_NOSUID | MS_NOEXEC;
  if (type[0] != 'd') // devpts is all devices
    flags |= MS_NODEV;
  return ::mount(type, target.c_str(), type, flags, options) == 0 ? 0 : errno;
}

/// The container's own /sys. 0 or an errno.
int bind_sys(const SandboxPlan& plan, const char* target) noexcept {
  int error = bind_mount("/sys", target, 0);
  Protected how = Protected::all;
  if (error == 0 && plan.network == CommandNetwork::none)
    error = hide_interfaces(target);
  if (error == 0)
    error = protect_mount(target, how);
  if (error == 0 && how == Protected::top)
    error = mask_path(StackPath(target, "fs/cgroup").c_str());
  return error;
}

} // namespace

void mount_proc(const SandboxPlan& plan, const char* target) noexcept {
  if (plan.pid_namespace == PidNamespace::own) {
    if (::mount("proc", target, "proc", plain, nullptr) != 0)
      give_up(plan.socket, SetupStep::mount_proc, errno);
  } else if (const int error = bind_mount("/proc", target, 0); error != 0) {
    give_up(plan.socket, SetupStep::mount_proc, error);
  }
  if (const int error = protect_proc(target); error != 0)
    give_up(plan.socket, SetupStep::mask_proc, error);
}

void mount_sys(const SandboxPlan& plan, const char* target) noexcept {
  // A mount made here shows the interfaces of the command's own network. Where parts of the
  // container's /sys are masked, the kernel refuses one without the masks.
  const bool is_new = plan.network == CommandNetwork::none &&
                      ::mount("sysfs", target, "sysfs", plain | MS_RDONLY, nullptr) == 0;
  int error = is_new ? 0 : bind_sys(plan, target);
  if (error != 0 && error != ENOENT)
    give_up(plan.socket, SetupStep::mount_sys, error);
  for (const char* name : {"firmware", "devices/virtual/powercap"}) {
    if ((error = mask_path(StackPath(target, name).c_str())) != 0)
      give_up(plan.socket, SetupStep::mask_proc, error);
  }
}

void mount_dev(const SandboxPlan& plan, const char* target) noexcept {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_STRICTATIME;
  if (::mount("tmpfs", target, "tmpfs", flags, "mode=755,size=64m") != 0)
    give_up(plan.socket, SetupStep::mount_dev, errno);
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"})
    make_device(plan, target, name);
  constexpr const char* links[][2] = {{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
                                      {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
                                      {"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"}};
  for (const auto& [text, name] : links) {
    if (::symlink(text, StackPath(target, name).c_str()) != 0)
      give_up(plan.socket, SetupStep::make_device, errno);
  }
  // Group 5 owns terminals, where the user namespace has it.
  if (mount_below(target, "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5") != 0) {
    if (const int error = mount_below(target, "pts", "devpts", "newinstance,ptmxmode=0666");
        error != 0)
      give_up(plan.socket, SetupStep::mount_dev, error);
  }
  if (const int error = mount_below(target, "shm", "tmpfs", "mode=1777,size=65536k"); error != 0)
    give_up(plan.socket, SetupStep::mount_dev, error);
  // Not every kernel has POSIX message queues; few commands miss them.
  (void)mount_below(target, "mqueue", "mqueue", nullptr);
}

} // namespace cairn
