#include "storm_calls.hpp"

#include "run/chroot/call_flags.hpp"
#include "supervised.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

namespace cairn {

namespace {

constexpr auto one_thread = StormyCall::Threads::one;
constexpr long other_value = -2000;
constexpr long proc_magic = 0x9fa0;

using StatInfo = struct stat;

long opened(long descriptor) {
  const long said = said_by(descriptor);
  return said < 0 ? said : said_by(::close(static_cast<int>(said)));
}

long opened_how(const char* path, int flags, std::uint64_t resolve = 0) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.resolve = resolve;
  return opened(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

long made_new(const char* path) {
  const long made = opened(::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  return made == 0 ? said_by(::unlink(path)) : made;
}

/// Two descriptors: what a path is relative to, and what is there.
long opened_below(const char* directory, const char* path) {
  const long place = said_by(::open(directory, O_DIRECTORY | O_CLOEXEC));
  if (place < 0)
    return place;
  const long said = opened(::openat(static_cast<int>(place), path, O_CLOEXEC));
  ::close(static_cast<int>(place));
  return said;
}

/// The file's type.
template<class... Arguments>
long looked(long number, Arguments... arguments) {
  StatInfo info{};
  const long said = said_by(::syscall(number, arguments..., &info));
  return said == 0 ? static_cast<long>(info.st_mode & S_IFMT) : said;
}

long looked_at(const char* path, int flags) {
  StatInfo info{};
  const long said = said_by(::syscall(SYS_newfstatat, AT_FDCWD, path, &info, flags));
  return said == 0 ? static_cast<long>(info.st_mode & S_IFMT) : said;
}

long looked_more(const char* path) {
  struct statx info {};
  const long said = said_by(::syscall(SYS_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &info));
  return said == 0 ? info.stx_mode & S_IFMT : said;
}

long kind_of_volume(const char* path) {
  struct statfs info {};
  const long said = said_by(::syscall(SYS_statfs, path, &info));
  return said == 0 && info.f_type == proc_magic ? proc_magic : said;
}

template<class... Arguments>
long link_leads(const std::string& wanted, long number, Arguments... arguments) {
  char text[64] = {};
  const long size = said_by(::syscall(number, arguments..., text, sizeof text));
  return size < 0 || wanted == std::string(text, static_cast<std::size_t>(size)) ? size
                                                                                 : other_value;
}

long is_in(const char* path) {
  char text[PATH_MAX] = {};
  const long size = said_by(::syscall(SYS_getcwd, text, sizeof text));
  return size < 0 || std::strcmp(text, path) == 0 ? size : other_value;
}

long went_there_and_back(const char* path) {
  if (const long went = said_by(::chdir(path)); went != 0)
    return went;
  const long size = is_in(path);
  return size < 0 ? size : said_by(::chdir("/"));
}

long waited_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // A new program has no handler for the signals of its storm.
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return 0;
  return WIFEXITED(status) ? -WEXITSTATUS(status) : other_value;
}

/// 0 when a process under a storm became a program.
long executed(const char* program, bool shares_memory = false) {
  const pid_t child = shares_memory ? ::vfork() : ::fork(); // NOLINT
  if (child == 0) {
    begin_storm(150);
    const char* const argv[] = {"true", nullptr};
    ::execve(program, const_cast<char* const*>(argv), nullptr);
    ::_exit(errno);
  }
  return waited_for(child);
}

/// For what is no program.
long replaced_by(const char* program) {
  return said_by(::syscall(SYS_execve, program, nullptr, nullptr));
}

/// What another process would hear that is a user's.
long said_to_user(const std::function<long()>& call) {
  const pid_t child = ::fork();
  if (child == 0) {
    begin_storm(150);
    if (::syscall(SYS_setresgid, 1001, 1001, 1001) != 0 ||
        ::syscall(SYS_setresuid, 1001, 1001, 1001) != 0)
      ::_exit(99);
    ::_exit(static_cast<int>(-call()));
  }
  return waited_for(child);
}

long attribute(long number, const char* path) {
  char value[16];
  return said_by(::syscall(number, path, "trusted.none", value, sizeof value));
}

long attributes(long number, const char* path) {
  char names[16];
  return said_by(::syscall(number, path, names, sizeof names));
}

long named() {
  utsname names{};
  const long said = said_by(::uname(&names));
  return said != 0 || std::strcmp(names.nodename, "stormy") == 0 ? said : other_value;
}

/// As shells handle it.
long handles_child() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  return said_by(::sigaction(SIGCHLD, &action, nullptr));
}

/// All three are root's.
long ids_of(long number) {
  unsigned ids[3] = {1, 1, 1};
  const long said = said_by(::syscall(number, &ids[0], &ids[1], &ids[2]));
  return said == 0 && ids[0] + ids[1] + ids[2] != 0 ? other_value : said;
}

std::vector<StormyCall> opens() {
  constexpr int no_file = 8; // And no address.
  return {
#ifdef SYS_open
      {SYS_open, "a file", 0, [] { return opened(::syscall(SYS_open, "/tmp/f", 0)); }},
      {SYS_open, "none", -ENOENT, [] { return opened(::syscall(SYS_open, "/tmp/n", 0)); }},
      {SYS_open, "comm", 0, [] { return opened(::syscall(SYS_open, "/proc/self/comm", 0)); }},
      {SYS_open, "no process", -ENOENT, [] { return opened(::syscall(SYS_open, "/proc/n", 0)); }},
#endif
      {SYS_openat, "a new file", 0, [] { return made_new("/tmp/new"); }, one_thread},
      {SYS_openat, "a new file by way of /proc", -EEXIST,
       [] { return made_new("/proc/self/root/tmp/f"); }},
      {SYS_openat, "mounts", 0, [] { return opened(::open("/etc/mtab", O_CLOEXEC)); }},
      {SYS_openat, "status", 0, [] { return opened(::open("/proc/self/status", O_CLOEXEC)); }},
      {SYS_openat, "what nobody may write", -EROFS,
       [] { return opened(::open("/proc/version", O_WRONLY | O_CLOEXEC)); }},
      {SYS_openat, "an own file", 0, [] { return opened(::open("/dev/fd/0", O_CLOEXEC)); }},
      {SYS_openat, "relative to /proc", 0, [] { return opened_below("/proc", "self/comm"); }},
      {SYS_openat, "from /proc out", 0, [] { return opened_below("/proc", "../tmp/f"); }},
      {SYS_openat, "relative to a directory", 0, [] { return opened_below("/tmp", "f"); }},
      {SYS_openat, "no address", -EFAULT,
       [] { return opened(::syscall(SYS_openat, AT_FDCWD, no_file, 0)); }},
      {SYS_openat2, "a file", 0, [] { return opened_how("/tmp/f", O_RDONLY); }},
      {SYS_openat2, "status", 0, [] { return opened_how("/proc/self/status", O_RDONLY); }},
      {SYS_openat2, "out of a directory", -EXDEV,
       [] { return opened_how("/proc/self/status", O_RDONLY, RESOLVE_BENEATH); }},
      {SYS_openat2, "no file system behind a link", -EXDEV,
       [] { return opened_how("../proc/self/status", O_RDONLY, RESOLVE_BENEATH); }},
      {SYS_openat, "the address of an interface", 0,
       [] { return opened(::open("/sys/class/net/lo/../lo/mtu", O_CLOEXEC)); }},
      {SYS_openat, "an interface's from its class", 0,
       [] { return opened_below("/sys/class/net", "lo/subsystem/../net/lo/mtu"); }},
      {SYS_openat, "a file that is up from a link", 0,
       [] { return opened_below("/proc/self", "../self/root/tmp/l"); }},
      {SYS_openat2, "a directory", -EISDIR, [] { return opened_how("/proc/self", O_WRONLY); }},
  };
}

std::vector<StormyCall> looks() {
  return {
#ifdef SYS_stat
      {SYS_stat, "a file", S_IFREG, [] { return looked(SYS_stat, "/tmp/l"); }},
      {SYS_stat, "comm", S_IFREG, [] { return looked(SYS_stat, "/proc/self/comm"); }},
      {SYS_stat, "no process", -ENOENT, [] { return looked(SYS_stat, "/proc/none"); }},
      {SYS_lstat, "a link", S_IFLNK, [] { return looked(SYS_lstat, "/tmp/l"); }},
      {SYS_lstat, "the own link", S_IFLNK, [] { return looked(SYS_lstat, "/proc/self"); }},
#endif
      {SYS_newfstatat, "a file", S_IFREG, [] { return looked_at("/tmp/l", 0); }},
      {SYS_newfstatat, "a link", S_IFLNK, [] { return looked_at("/tmp/l", AT_SYMLINK_NOFOLLOW); }},
      {SYS_newfstatat, "processes", S_IFDIR, [] { return looked_at("/proc", 0); }},
      {SYS_newfstatat, "the own link", S_IFLNK,
       [] { return looked_at("/proc/self", AT_SYMLINK_NOFOLLOW); }},
      {SYS_newfstatat, "none", -ENOENT, [] { return looked_at("/sys/none", 0); }},
      {SYS_statx, "a file", S_IFREG, [] { return looked_more("/tmp/f"); }},
      {SYS_statx, "comm", S_IFREG, [] { return looked_more("/proc/self/comm"); }},
      {SYS_statx, "no process", -ENOENT, [] { return looked_more("/proc/none"); }},
#ifdef SYS_access
      {SYS_access, "a file", 0, [] { return said_by(::syscall(SYS_access, "/tmp/f", R_OK)); }},
      {SYS_access, "comm", 0, [] { return said_by(::syscall(SYS_access, "/proc/self/comm", 0)); }},
      {SYS_readlink, "a link", 1, [] { return link_leads("f", SYS_readlink, "/tmp/l"); }},
      {SYS_readlink, "the root", 1,
       [] { return link_leads("/", SYS_readlink, "/proc/self/root"); }},
      {SYS_readlink, "no link", -EINVAL,
       [] { return link_leads("", SYS_readlink, "/proc/self/comm"); }},
#endif
      {SYS_faccessat, "a file", 0,
       [] { return said_by(::syscall(SYS_faccessat, AT_FDCWD, "/tmp/f", R_OK)); }},
      {SYS_faccessat, "what nobody may write", -EROFS,
       [] { return said_by(::syscall(SYS_faccessat, AT_FDCWD, "/proc/version", W_OK)); }},
      {SYS_faccessat2, "none", -ENOENT,
       [] { return said_by(::syscall(SYS_faccessat2, AT_FDCWD, "/tmp/n", R_OK, AT_EACCESS)); }},
      {SYS_faccessat2, "mounts", 0,
       [] { return said_by(::syscall(SYS_faccessat2, AT_FDCWD, "/etc/mtab", R_OK, 0)); }},
      {SYS_readlinkat, "a link", 1,
       [] { return link_leads("f", SYS_readlinkat, AT_FDCWD, "/tmp/l"); }},
      {SYS_readlinkat, "mounts", 11,
       [] { return link_leads("self/mounts", SYS_readlinkat, AT_FDCWD, "/proc/mounts"); }},
      {SYS_statfs, "a file", 0, [] { return kind_of_volume("/tmp/f"); }},
      {SYS_statfs, "processes", proc_magic, [] { return kind_of_volume("/proc"); }},
  };
}

std::vector<StormyCall> attribute_looks() {
  return {
      {SYS_getxattr, "a file", -ENODATA, [] { return attribute(SYS_getxattr, "/tmp/l"); }},
      {SYS_getxattr, "none", -ENOENT, [] { return attribute(SYS_getxattr, "/proc/none"); }},
      {SYS_lgetxattr, "a file", -ENODATA, [] { return attribute(SYS_lgetxattr, "/tmp/f"); }},
      {SYS_lgetxattr, "none", -ENOENT, [] { return attribute(SYS_lgetxattr, "/proc/none"); }},
      {SYS_listxattr, "a file", 0, [] { return attributes(SYS_listxattr, "/tmp/l"); }},
      {SYS_listxattr, "comm", 0, [] { return attributes(SYS_listxattr, "/proc/self/comm"); }},
      {SYS_llistxattr, "a link", 0, [] { return attributes(SYS_llistxattr, "/tmp/l"); }},
      {SYS_llistxattr, "none", -ENOENT, [] { return attributes(SYS_llistxattr, "/proc/none"); }},
      {SYS_uname, "the name", 0, named},
      {SYS_geteuid, "root", 0, [] { return said_by(::syscall(SYS_geteuid)); }},
      {SYS_getegid, "root", 0, [] { return said_by(::syscall(SYS_getegid)); }},
      {SYS_getresuid, "root", 0, [] { return ids_of(SYS_getresuid); }},
      {SYS_getresgid, "root", 0, [] { return ids_of(SYS_getresgid); }},
      {SYS_rt_sigaction, "a handler", 0, handles_child},
  };
}

/// "now" of utimensat(2) and its older kin is no address.
long touched(long number, const char* path) {
  return said_by(::syscall(number, path, nullptr));
}

long touched_at(const char* path, int flags = 0) {
  return said_by(::syscall(SYS_utimensat, AT_FDCWD, path, nullptr, flags));
}

/// Then it is the kernel's business, and the file's name has no part in it.
long touched_open() {
  const long file = said_by(::open("/tmp/f", O_RDONLY | O_CLOEXEC));
  const long said = file < 0 ? file : said_by(::syscall(SYS_utimensat, file, nullptr, nullptr, 0));
  ::close(static_cast<int>(file));
  return said;
}

/// By a descriptor of it that is no path of this root's.
template<class... Arguments>
long of_open_file(long number, Arguments... arguments) {
  const long file = said_by(::open("/tmp/f", O_RDWR | O_CLOEXEC));
  const auto path = fmt::format("/proc/self/fd/{}", file);
  const long said = file < 0 ? file : said_by(::syscall(number, path.c_str(), arguments...));
  ::close(static_cast<int>(file));
  return said;
}

long changed_mode(const char* path, int flags = 0) {
  return said_by(::syscall(SYS_fchmodat2, AT_FDCWD, path, 0644, flags));
}

long set_attribute(long number, const char* path) {
  return said_by(::syscall(number, path, "user.none", "value", 5, XATTR_REPLACE));
}

/// A file that had none gets a name.
long linked_unnamed() {
  const long file = said_by(::open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (file < 0)
    return file;
  const auto path = fmt::format("/proc/self/fd/{}", file);
  const long said =
      said_by(::linkat(AT_FDCWD, path.c_str(), AT_FDCWD, "/tmp/named", AT_SYMLINK_FOLLOW));
  ::close(static_cast<int>(file));
  return said == 0 ? said_by(::unlink("/tmp/named")) : said;
}

std::vector<StormyCall> inode_changes() {
  return {
#ifdef SYS_chmod
      {SYS_chmod, "a file", 0, [] { return said_by(::syscall(SYS_chmod, "/tmp/f", 0644)); }},
      {SYS_chmod, "an open file", 0, [] { return of_open_file(SYS_chmod, 0644); }},
      {SYS_chown, "a file", 0, [] { return said_by(::syscall(SYS_chown, "/tmp/f", 0, 0)); }},
      {SYS_chown, "an open file", 0, [] { return of_open_file(SYS_chown, 0, 0); }},
      {SYS_lchown, "a link", 0, [] { return said_by(::syscall(SYS_lchown, "/tmp/l", 0, 0)); }},
      {SYS_lchown, "comm", 0,
       [] { return said_by(::syscall(SYS_lchown, "/proc/self/comm", 7, 7)); }},
      {SYS_utime, "a file", 0, [] { return touched(SYS_utime, "/tmp/f"); }},
      {SYS_utime, "none", -ENOENT, [] { return touched(SYS_utime, "/proc/none"); }},
      {SYS_utimes, "a file", 0, [] { return touched(SYS_utimes, "/tmp/f"); }},
      {SYS_utimes, "an open file", 0, [] { return of_open_file(SYS_utimes, nullptr); }},
      {SYS_futimesat, "a file", 0,
       [] { return said_by(::syscall(SYS_futimesat, AT_FDCWD, "/tmp/f", nullptr)); }},
#endif
      {SYS_fchmodat, "none", -ENOENT,
       [] { return said_by(::syscall(SYS_fchmodat, AT_FDCWD, "/proc/none", 0644)); }},
      {SYS_fchmodat, "what nobody may write", -EROFS,
       [] { return said_by(::syscall(SYS_fchmodat, AT_FDCWD, "/sys/kernel", 0777)); }},
      {SYS_fchmodat, "up from /proc", 0,
       [] {
         const Fd processes(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
         return said_by(::syscall(SYS_fchmodat, processes.get(), "../tmp/f", 0644));
       }},
      {SYS_fchmodat2, "none", -ENOENT, [] { return changed_mode("/proc/none"); }},
      {SYS_fchownat, "a file", 0,
       [] { return said_by(::fchownat(AT_FDCWD, "/tmp/l", 0, 0, AT_SYMLINK_NOFOLLOW)); }},
      {SYS_truncate, "an open file", 0, [] { return of_open_file(SYS_truncate, 5); }},
      {SYS_utimensat, "a file", 0, [] { return touched_at("/tmp/f"); }},
      {SYS_utimensat, "a link", 0, [] { return touched_at("/tmp/l", AT_SYMLINK_NOFOLLOW); }},
      {SYS_utimensat, "none", -ENOENT, [] { return touched_at("/dev/fd/none"); }},
      {SYS_utimensat, "an open file without a path", 0, touched_open},
      {SYS_truncate, "a file", 0, [] { return said_by(::truncate("/tmp/f", 5)); }},
      {SYS_truncate, "none", -ENOENT, [] { return said_by(::truncate("/proc/none", 5)); }},
      {SYS_setxattr, "a file", -ENODATA, [] { return set_attribute(SYS_setxattr, "/tmp/f"); }},
      {SYS_setxattr, "an open file", -ENODATA,
       [] { return of_open_file(SYS_setxattr, "user.none", "value", 5, XATTR_REPLACE); }},
      {SYS_lsetxattr, "a link", -EPERM, [] { return set_attribute(SYS_lsetxattr, "/tmp/l"); }},
      {SYS_removexattr, "a file", -ENODATA,
       [] { return said_by(::removexattr("/tmp/f", "user.none")); }},
      {SYS_removexattr, "an open file", -ENODATA,
       [] { return of_open_file(SYS_removexattr, "user.none"); }},
      {SYS_lremovexattr, "none", -ENOENT,
       [] { return said_by(::lremovexattr("/proc/none", "user.none")); }},
      {SYS_linkat, "a file", 0,
       [] {
         const long said = said_by(::linkat(AT_FDCWD, "/tmp/f", AT_FDCWD, "/tmp/h", 0));
         return said == 0 ? said_by(::unlink("/tmp/h")) : said;
       },
       one_thread},
      {SYS_linkat, "a file without a name", 0, linked_unnamed, one_thread},
  };
}

std::vector<StormyCall> changes() {
  constexpr int few = 40; // Each starts a process, or is held.
  return {
      {SYS_chdir, "a directory", 0, [] { return went_there_and_back("/tmp"); }, one_thread},
      {SYS_chdir, "processes", 0, [] { return went_there_and_back("/proc"); }, one_thread, few},
      {SYS_chdir, "none", -ENOENT, [] { return said_by(::chdir("/proc/none")); }},
      {SYS_chdir, "no directory", -ENOTDIR, [] { return said_by(::chdir("/proc/self/comm")); }},
      {SYS_getcwd, "the root", 2, [] { return is_in("/"); }},
      {SYS_getcwd, "no room", -ERANGE, [] { return said_by(::syscall(SYS_getcwd, nullptr, 1)); },
       one_thread},
      {SYS_execve, "a program", 0, [] { return executed("/bin/true"); }, one_thread, few},
      {SYS_execve, "a program, memory shared", 0, [] { return executed("/bin/true", true); },
       one_thread, few},
      {SYS_execve, "a program by way of /proc", 0,
       [] { return executed("/proc/self/root/bin/true"); }, one_thread, few},
      {SYS_execve, "the same, memory shared", 0,
       [] { return executed("/proc/self/root/bin/true", true); }, one_thread, few},
      {SYS_execve, "none", -ENOENT, [] { return replaced_by("/none"); }},
      {SYS_execve, "no process", -ENOENT, [] { return replaced_by("/proc/none"); }},
      {SYS_execve, "no program", -EACCES, [] { return replaced_by("/proc/self/comm"); }},
      {SYS_execve, "no program by way of /proc", -EACCES,
       [] { return replaced_by("/proc/self/root/tmp/f"); }, one_thread, few},
      {SYS_setuid, "root", 0, [] { return said_by(::syscall(SYS_setuid, 0)); }, one_thread, few},
      {SYS_setreuid, "root", 0, [] { return said_by(::syscall(SYS_setreuid, 0, 0)); }, one_thread,
       few},
      {SYS_setresuid, "root", 0, [] { return said_by(::syscall(SYS_setresuid, -1, 0, 0)); },
       one_thread, few},
      {SYS_setgid, "root", 0, [] { return said_by(::syscall(SYS_setgid, 0)); }, one_thread, few},
      {SYS_setregid, "root", 0, [] { return said_by(::syscall(SYS_setregid, 0, 0)); }, one_thread,
       few},
      {SYS_setresgid, "root", 0, [] { return said_by(::syscall(SYS_setresgid, 0, -1, 0)); },
       one_thread, few},
      {SYS_setuid, "root, for a user", -EPERM,
       [] { return said_to_user([] { return said_by(::syscall(SYS_setuid, 0)); }); }, one_thread,
       few},
      {SYS_openat, "comm, for a user", 0,
       [] {
         return said_to_user([] { return opened(::open("/proc/self/comm", O_RDWR | O_CLOEXEC)); });
       },
       one_thread, few},
  };
}

/// The permitted and effective sets of the calling thread; 0 for none.
long rights() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  const long said = said_by(::syscall(SYS_capget, &header, sets));
  return said != 0 ? said : static_cast<long>(sets[0].permitted | sets[0].effective);
}

long woken(std::uint32_t set) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct sets[2] = {{set, set, set}, {}};
  return said_by(::syscall(SYS_capset, &header, sets));
}

/// Refused because something is read-only.
template<class... Arguments>
StormyCall row(long number, Arguments... arguments) {
  return {number, "what is read-only", -EROFS,
          [=] { return said_by(::syscall(number, arguments...)); }};
}

constexpr const char* file = "/ro/f";
constexpr const char* fresh = "/ro/new";

/// Calls of amd64 alone.
std::vector<StormyCall> old_refused() {
  return {
#ifdef SYS_open
      row(SYS_open, file, O_WRONLY),
      row(SYS_creat, fresh, 0644),
      row(SYS_access, file, W_OK),
      row(SYS_mkdir, fresh, 0755),
      row(SYS_mknod, fresh, S_IFIFO | 0644, 0),
      row(SYS_symlink, "f", fresh),
      row(SYS_unlink, file),
      row(SYS_rmdir, "/ro/d"),
      row(SYS_rename, file, fresh),
      row(SYS_link, file, fresh),
      row(SYS_chmod, file, 0644),
      row(SYS_chown, file, 1, 1),
      row(SYS_lchown, "/ro/l", 1, 1),
      row(SYS_utime, file, nullptr),
      row(SYS_utimes, file, nullptr),
      row(SYS_futimesat, AT_FDCWD, file, nullptr),
#endif
  };
}

std::vector<StormyCall> refused_by_path() {
  static const open_how writing{O_WRONLY | O_CLOEXEC, 0, 0};
  return {
#ifdef SYS_renameat
      row(SYS_renameat, AT_FDCWD, file, AT_FDCWD, fresh),
#endif
      row(SYS_openat, AT_FDCWD, fresh, O_WRONLY | O_CREAT, 0644),
      row(SYS_openat, AT_FDCWD, "/ro", O_TMPFILE | O_WRONLY, 0644),
      row(SYS_openat2, AT_FDCWD, "/ro/l", &writing, sizeof writing),
      row(SYS_faccessat, AT_FDCWD, file, W_OK),
      row(SYS_faccessat2, AT_FDCWD, "/ro/d", W_OK, AT_EACCESS),
      row(SYS_mkdirat, AT_FDCWD, fresh, 0755),
      row(SYS_mknodat, AT_FDCWD, fresh, S_IFIFO | 0644, 0),
      row(SYS_symlinkat, "f", AT_FDCWD, fresh),
      row(SYS_unlinkat, AT_FDCWD, "/ro/d/", AT_REMOVEDIR),
      row(SYS_renameat2, AT_FDCWD, file, AT_FDCWD, fresh, 0),
      row(SYS_linkat, AT_FDCWD, file, AT_FDCWD, fresh, 0),
      row(SYS_fchmodat, AT_FDCWD, file, 0644),
      row(SYS_fchmodat2, AT_FDCWD, file, 0644, 0),
      row(SYS_fchownat, AT_FDCWD, "/ro/l", 1, 1, AT_SYMLINK_NOFOLLOW),
      row(SYS_utimensat, AT_FDCWD, file, nullptr, 0),
      row(SYS_truncate, file, 0),
      row(SYS_setxattr, file, "user.a", "b", 1, 0),
      row(SYS_lsetxattr, "/ro/l", "trusted.a", "b", 1, 0),
      row(SYS_removexattr, file, "user.a"),
      row(SYS_lremovexattr, "/ro/l", "trusted.a"),
  };
}

std::vector<StormyCall> refused_or_not() {
  return {
      row(SYS_fchmod, read_only_descriptor, 0644),
      row(SYS_fchown, read_only_descriptor, 1, 1),
      row(SYS_fsetxattr, read_only_descriptor, "user.a", "b", 1, 0),
      row(SYS_fremovexattr, read_only_descriptor, "user.a"),
      row(SYS_utimensat, read_only_descriptor, nullptr, nullptr, 0),
      row(SYS_fchownat, read_only_descriptor, "", 1, 1, AT_EMPTY_PATH),
      {SYS_mkdirat, "what is there", -EEXIST,
       [] { return said_by(::mkdirat(AT_FDCWD, "/ro/d", 0755)); }},
      {SYS_fchmodat, "what is not there", -ENOENT,
       [] { return said_by(::syscall(SYS_fchmodat, AT_FDCWD, "/ro/none", 0644)); }},
      {SYS_unlinkat, "a place of its own", -EBUSY,
       [] { return said_by(::unlinkat(AT_FDCWD, "/ro", AT_REMOVEDIR)); }},
      {SYS_renameat2, "over the border", -EXDEV,
       [] { return said_by(::syscall(SYS_renameat2, AT_FDCWD, "/ro/f", AT_FDCWD, "/tmp/n", 0)); }},
      {SYS_openat, "what is only read", 0, [] { return opened(::open("/ro/l", O_CLOEXEC)); }},
      {SYS_openat, "a file", 0, [] { return opened(::open("/tmp/f", O_WRONLY | O_CLOEXEC)); }},
      {SYS_openat, "a directory", -EISDIR,
       [] { return opened(::open("/ro", O_WRONLY | O_CLOEXEC)); }},
      {SYS_faccessat, "what may be read", 0,
       [] { return said_by(::syscall(SYS_faccessat, AT_FDCWD, "/ro/f", R_OK)); }},
      {SYS_fchmodat, "a file", 0,
       [] { return said_by(::syscall(SYS_fchmodat, AT_FDCWD, "/tmp/f", 0644)); }},
  };
}

} // namespace

long said_by(long result) {
  return result >= 0 ? result : -errno;
}

std::vector<StormyCall> stormy_calls() {
  auto all = opens();
  for (const auto& family : {looks(), attribute_looks(), inode_changes(), changes()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

std::vector<StormyCall> stormy_calls_of_guarded() {
  auto all = old_refused();
  for (const auto& family : {refused_by_path(), refused_or_not()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

std::vector<StormyCall> stormy_calls_of_user() {
  return {
      {SYS_capget, "none", 0, rights},
      {SYS_capset, "none", 0, [] { return woken(0); }},
      {SYS_capset, "one", -EPERM, [] { return woken(1); }},
      {SYS_brk, "where it is", 0, [] { return ::syscall(SYS_brk, 0) > 0 ? 0L : other_value; }},
      {SYS_set_tid_address, "the thread", 0,
       [] { return ::syscall(SYS_set_tid_address, nullptr) == ::gettid() ? 0L : other_value; }},
      {SYS_sched_getaffinity, "processors", 0,
       [] {
         cpu_set_t set;
         return said_by(::sched_getaffinity(0, sizeof set, &set));
       }},
#ifdef SYS_arch_prctl
      {SYS_arch_prctl, "the thread's data", 0,
       [] {
         constexpr int get_data = 0x1003; // ARCH_GET_FS
         unsigned long address = 0;
         return said_by(::syscall(SYS_arch_prctl, get_data, &address));
       }},
#endif
      {SYS_openat, "what is root's", -EACCES,
       [] { return opened(::open("/tmp/f", O_WRONLY | O_CLOEXEC)); }},
      {SYS_openat, "an own file", 0, [] { return opened(::open("/proc/self/maps", O_CLOEXEC)); }},
      {SYS_execve, "a program", 0, [] { return executed("/bin/true"); }, one_thread, 40},
      {SYS_setuid, "root", -EPERM, [] { return said_by(::syscall(SYS_setuid, 0)); }, one_thread,
       40},
  };
}

} // namespace cairn
