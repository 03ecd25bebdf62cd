#include "run/chroot/call_flags.hpp"
#include "storm_calls.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

constexpr auto alone = StormyCall::Threads::one;
constexpr const char* guarded = "/ro/f";
constexpr const char* link_to_it = "/ro/l";
constexpr const char* free_file = "/tmp/f";

/// A call that ends with an errno.
template<class... Arguments>
StormyCall ends_with(int error, long number, Arguments... arguments) {
  return {number, "a file that is read-only", -error,
          [=] { return said_by(::syscall(number, arguments...)); }};
}

/// One that is nobody's business but the kernel's.
StormyCall passes(long number, const char* what, std::function<long()> call) {
  return {number, what, 0, [call = std::move(call)] { return said_by(call()); }, alone};
}

long opened_to_write(const char* path) {
  const long file = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  return file < 0 ? file : ::close(static_cast<int>(file));
}

/// A file of another name is made, moved and removed beside it.
long made_beside() {
  long said = opened_to_write("/ro/new");
  said = said < 0 ? said : ::renameat(AT_FDCWD, "/ro/new", AT_FDCWD, "/ro/newer");
  return said < 0 ? said : ::unlink("/ro/newer");
}

/// Calls of amd64 alone.
std::vector<StormyCall> old_calls_of_file() {
  return {
#ifdef SYS_open
      ends_with(EROFS, SYS_open, guarded, O_RDWR),
      ends_with(EROFS, SYS_creat, guarded, 0644),
      ends_with(EROFS, SYS_access, link_to_it, W_OK),
      ends_with(EBUSY, SYS_unlink, guarded),
      ends_with(ENOTDIR, SYS_rmdir, guarded),
      ends_with(EBUSY, SYS_rename, guarded, "/tmp/n"),
      ends_with(EBUSY, SYS_rename, free_file, guarded),
      ends_with(EXDEV, SYS_link, guarded, "/ro/h"),
      ends_with(EEXIST, SYS_link, free_file, guarded),
      ends_with(EROFS, SYS_chmod, link_to_it, 0644),
      ends_with(EROFS, SYS_chown, guarded, 1, 1),
      ends_with(EROFS, SYS_lchown, guarded, 1, 1),
      ends_with(EROFS, SYS_utime, guarded, nullptr),
      ends_with(EROFS, SYS_utimes, link_to_it, nullptr),
      ends_with(EROFS, SYS_futimesat, AT_FDCWD, guarded, nullptr),
#endif
  };
}

std::vector<StormyCall> calls_of_file() {
  static const open_how writing{O_WRONLY | O_CLOEXEC, 0, 0};
  return {
#ifdef SYS_renameat
      ends_with(EBUSY, SYS_renameat, AT_FDCWD, free_file, AT_FDCWD, "ro/../ro//f"),
#endif
      ends_with(EROFS, SYS_openat, AT_FDCWD, guarded, O_WRONLY | O_CREAT, 0644),
      ends_with(EROFS, SYS_openat, AT_FDCWD, "ro/l", O_WRONLY | O_TRUNC),
      ends_with(EEXIST, SYS_openat, AT_FDCWD, guarded, O_WRONLY | O_CREAT | O_EXCL),
      ends_with(EROFS, SYS_openat2, AT_FDCWD, link_to_it, &writing, sizeof writing),
      ends_with(EROFS, SYS_faccessat, AT_FDCWD, guarded, W_OK),
      ends_with(EROFS, SYS_faccessat2, AT_FDCWD, link_to_it, W_OK, AT_EACCESS),
      ends_with(EBUSY, SYS_unlinkat, AT_FDCWD, "ro//f", 0),
      ends_with(EBUSY, SYS_renameat2, AT_FDCWD, guarded, AT_FDCWD, free_file, RENAME_EXCHANGE),
      ends_with(EXDEV, SYS_linkat, AT_FDCWD, link_to_it, AT_FDCWD, "/h", AT_SYMLINK_FOLLOW),
      ends_with(EXDEV, SYS_linkat, read_only_descriptor, "", AT_FDCWD, "/h", AT_EMPTY_PATH),
      ends_with(EROFS, SYS_fchmodat, AT_FDCWD, guarded, 0644),
      ends_with(EROFS, SYS_fchmodat2, read_only_descriptor, "", 0644, AT_EMPTY_PATH),
      ends_with(EROFS, SYS_fchownat, AT_FDCWD, guarded, 1, 1, AT_EMPTY_PATH),
      ends_with(EROFS, SYS_fchownat, read_only_descriptor, "", 1, 1, AT_EMPTY_PATH),
      ends_with(EROFS, SYS_utimensat, AT_FDCWD, link_to_it, nullptr, 0),
      ends_with(EROFS, SYS_truncate, link_to_it, 0),
      ends_with(EROFS, SYS_setxattr, link_to_it, "user.a", "b", 1, 0),
      ends_with(EROFS, SYS_lsetxattr, guarded, "user.a", "b", 1, 0),
      ends_with(EROFS, SYS_removexattr, link_to_it, "user.a"),
      ends_with(EROFS, SYS_lremovexattr, guarded, "user.a"),
  };
}

std::vector<StormyCall> calls_beside_file() {
  return {
      passes(SYS_openat, "a file", [] { return opened_to_write(free_file); }),
      passes(SYS_openat, "a file beside it", made_beside),
      passes(SYS_fchmodat, "a file", [] { return ::chmod("/tmp/l", 0644); }),
      passes(SYS_fchownat, "a link to it",
             [] { return ::fchownat(AT_FDCWD, link_to_it, 0, 0, AT_SYMLINK_NOFOLLOW); }),
      passes(SYS_utimensat, "what is open",
             [] { return ::syscall(SYS_utimensat, read_only_descriptor, nullptr, nullptr, 0); }),
      passes(SYS_renameat2, "its directory, to and fro",
             [] { return ::rename("/ro", "/moved") < 0 ? -1L : ::rename("/moved", "/ro"); }),
  };
}

} // namespace

std::vector<StormyCall> stormy_calls_of_file() {
  auto all = old_calls_of_file();
  for (const auto& family : {calls_of_file(), calls_beside_file()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

} // namespace cairn
