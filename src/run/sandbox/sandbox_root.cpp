#include "run/mounts/mount_calls.hpp"
#include "run/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

void write_text(const SandboxPlan& plan, const SandboxMount& file) noexcept {
  const int fd =
      ::open(file.source.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  std::size_t done = 0;
  while (fd >= 0 && done < file.options.size()) {
    const auto count = ::write(fd, file.options.data() + done, file.options.size() - done);
    if (count < 0 && errno != EINTR)
      break;
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  const bool owned =
      fd >= 0 && ::fchown(fd, file.uid, file.gid) == 0 && ::fchmod(fd, file.mode) == 0;
  if (!owned || done != file.options.size())
    give_up(plan.socket, SetupStep::write_file, errno);
  ::close(fd);
}

void mount_overlay(const SandboxPlan& plan) noexcept {
  for (const auto& [name, path] : plan.links) {
    if (::symlink(path.c_str(), name.c_str()) != 0)
      give_up(plan.socket, SetupStep::name_layers, errno);
  }
  int error = EINVAL;
  for (const auto& options : plan.overlay_options) {
    if (error == EINVAL)
      error = ::mount("overlay", "root", "overlay", MS_NODEV, options.c_str()) == 0 ? 0 : errno;
  }
  if (error != 0)
    give_up(plan.socket, SetupStep::mount_overlay, error);
}

/// Opens the source of a bind mount as it was when the executor looked at it.
int open_source(const SandboxPlan& plan, const SandboxMount& mount) noexcept {
  struct open_how how {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const auto fd =
      static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, mount.source.c_str(), &how, sizeof how));
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0)
    give_up(plan.socket, SetupStep::open_source, errno);
  if (info.st_dev != mount.device || info.st_ino != mount.inode)
    give_up(plan.socket, SetupStep::open_source, ESTALE);
  return fd;
}

void bind_outside(const SandboxPlan& plan, const SandboxMount& mount, const char* target) noexcept {
  const int source = open_source(plan, mount);
  int error = bind_mount(StackPath("/proc/self/fd", source).c_str(), target, MS_NODEV);
  ::close(source);
  Protected how = Protected::all;
  if (error == 0 && mount.access == MountAccess::read_only)
    error = protect_mount(target, how);
  if (error != 0)
    give_up(plan.socket, SetupStep::bind_mount, error);
}

/// It has the mode of the directory that it covers, as runc does it.
void mount_tmpfs(const SandboxPlan& plan, const SandboxMount& mount, const char* target) noexcept {
  constexpr mode_t permissions = 07777;
  struct stat covered {};
  if (::stat(target, &covered) != 0 ||
      ::mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, mount.options.c_str()) != 0 ||
      ::chmod(target, covered.st_mode & permissions) != 0)
    give_up(plan.socket, SetupStep::mount_tmpfs, errno);
}

} // namespace

void mount_cell_root(const SandboxPlan& plan) noexcept {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount("tmpfs", plan.staging.c_str(), "tmpfs", flags, "mode=700,size=16m") != 0 ||
      ::chdir(plan.staging.c_str()) != 0 || ::mkdir("root", 0755) != 0)
    give_up(plan.socket, SetupStep::staging, errno);
  for (const auto& file : plan.mounts) {
    if (file.kind == SandboxMount::Kind::text)
      write_text(plan, file);
  }
  if (plan.directory.empty())
    mount_overlay(plan);
  else if (const int error = bind_mount(plan.directory.c_str(), "root", MS_NODEV); error != 0)
    give_up(plan.socket, SetupStep::mount_directory, error);
  if (::chdir("root") != 0)
    give_up(plan.socket, SetupStep::open_root, errno);
}

void mount_extra(const SandboxPlan& plan, const SandboxMount& mount, const char* target) noexcept {
  switch (mount.kind) {
  case SandboxMount::Kind::bind:
    return bind_outside(plan, mount, target);
  case SandboxMount::Kind::tmpfs:
    return mount_tmpfs(plan, mount, target);
  case SandboxMount::Kind::text:
    // The staging directory lies outside the new root, so it is still found by its own path.
    constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const StackPath source(plan.staging.c_str(), mount.source.c_str());
    const unsigned long access = mount.access == MountAccess::read_only ? MS_RDONLY : 0;
    if (const int error = bind_mount(source.c_str(), target, flags | access); error != 0)
      give_up(plan.socket, SetupStep::bind_mount, error);
    return;
  }
}

} // namespace cairn
