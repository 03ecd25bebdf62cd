#include "run/chroot/chroot_calls.hpp"
#include "run/chroot/link_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace cairn {

namespace {

constexpr std::size_t max_attribute = 65536; // XATTR_SIZE_MAX of linux/limits.h
constexpr long nanoseconds = 1000;           ///< In a microsecond.

/// The container's own devices are not a command's to change; terminals are, of those who made
/// them.
bool is_containers_device(FdRef file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 && (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) &&
         !path_text(file).starts_with("/dev/pts/");
}

/// Why it is not to be changed; 0 when it may be.
int refusal_of(const KernelView::Found& found) {
  if (found.error != 0)
    return found.error;
  if (found.content || found.access == MountAccess::read_only)
    return EROFS;
  return is_containers_device(found.file) ? EPERM : 0;
}

/// A path among a call's arguments.
struct PathArgument {
  int directory; ///< The thread's descriptor to which it is relative, or AT_FDCWD.
  unsigned path;
  FinalLink last;
  bool is_written = false; ///< What it leads to, not what is said of that.
};

/// What `change`, which gets an O_PATH descriptor and answers like a system call, makes of what a
/// path leads to.
template<class Change>
CallAnswer answer_change(const KernelView& view, const Call& call, PathArgument argument,
                         const Change& change) {
  const auto found = view.find(call, argument.directory, argument.path, argument.last);
  if (!found)
    return PassedCall{};
  if (const int error = refusal_of(*found); error != 0)
    return FailedCall{error == EROFS && argument.is_written ? refusal_to_write(*found) : error};
  const BorrowedRights rights(found->thread);
  if (change(found->file) != 0)
    return FailedCall{errno};
  return ReturnedValue{0};
}

CallAnswer answer_chmod(const KernelView& view, const Call& call, PathArgument argument) {
  const auto mode = static_cast<mode_t>(call.argument(argument.path + 1));
  return answer_change(view, call, argument, [&](FdRef file) {
    struct stat info {};
    if (::fstat(file.get(), &info) == 0 && S_ISLNK(info.st_mode)) {
      errno = EOPNOTSUPP;
      return -1;
    }
    return ::chmod(own_path(file).c_str(), mode);
  });
}

CallAnswer fchmodat_call(const KernelView& view, const Call& call) {
  return answer_chmod(view, call, {call.int_argument(0), 1, FinalLink::follow});
}

CallAnswer fchmodat2_call(const KernelView& view, const Call& call) {
  return answer_chmod(view, call, {call.int_argument(0), 1, last_link(call.int_argument(3))});
}

CallAnswer answer_chown(const KernelView& view, const Call& call, PathArgument argument) {
  const auto user = static_cast<uid_t>(call.argument(argument.path + 1));
  const auto group = static_cast<gid_t>(call.argument(argument.path + 2));
  return answer_change(view, call, argument, [&](FdRef file) {
    return ::fchownat(file.get(), "", user, group, AT_EMPTY_PATH);
  });
}

CallAnswer fchownat_call(const KernelView& view, const Call& call) {
  return answer_chown(view, call, {call.int_argument(0), 1, last_link(call.int_argument(4))});
}

using Times = std::array<timespec, 2>;

timespec to_timespec(const timeval& time) {
  // What is out of bounds stays so, and the kernel says it.
  const bool fits = time.tv_usec >= 0 && time.tv_usec < 1'000'000;
  return {time.tv_sec, fits ? time.tv_usec * nanoseconds : -1};
}

Times to_timespecs(const std::array<timeval, 2>& times) {
  return {to_timespec(times[0]), to_timespec(times[1])};
}

Times to_timespecs(const utimbuf& times) {
  return {timespec{times.actime, 0}, timespec{times.modtime, 0}};
}

Times to_timespecs(const Times& times) {
  return times;
}

/// The structure with the times is behind the path; at no address it means now.
template<class Given>
int read_times(const Call& call, std::uint64_t address, Times& times) {
  if (address == 0)
    return 0;
  Given given{};
  const int error = call.read(address, std::span(reinterpret_cast<char*>(&given), sizeof given));
  if (error == 0)
    times = to_timespecs(given);
  return error;
}

template<class Given>
CallAnswer answer_times(const KernelView& view, const Call& call, PathArgument argument) {
  return answer_change(view, call, argument, [&](FdRef file) {
    Times times{timespec{0, UTIME_NOW}, timespec{0, UTIME_NOW}};
    if (const int error = read_times<Given>(call, call.argument(argument.path + 1), times);
        error != 0) {
      errno = error;
      return -1;
    }
    return static_cast<int>(::syscall(SYS_utimensat, file.get(), "", times.data(), AT_EMPTY_PATH));
  });
}

CallAnswer utimensat_call(const KernelView& view, const Call& call) {
  return answer_times<Times>(view, call,
                             {call.int_argument(0), 1, last_link(call.int_argument(3))});
}

CallAnswer truncate_call(const KernelView& view, const Call& call) {
  const auto size = static_cast<off_t>(call.argument(1));
  return answer_change(view, call, {AT_FDCWD, 0, FinalLink::follow, true},
                       [&](FdRef file) { return ::truncate(own_path(file).c_str(), size); });
}

int set_attribute(const Call& call, FdRef file) {
  const auto name = call.path(1);
  std::string value(std::min<std::uint64_t>(call.argument(3), max_attribute), '\0');
  errno = call.argument(3) > max_attribute ? E2BIG : name.error;
  if (errno == 0)
    errno = call.read(call.argument(2), value);
  if (errno != 0)
    return -1;
  return ::setxattr(own_path(file).c_str(), name.text.c_str(), value.data(), value.size(),
                    call.int_argument(4));
}

int remove_attribute(const Call& call, FdRef file) {
  const auto name = call.path(1);
  errno = name.error;
  return errno == 0 ? ::removexattr(own_path(file).c_str(), name.text.c_str()) : -1;
}

template<FinalLink last>
CallAnswer setxattr_call(const KernelView& view, const Call& call) {
  return answer_change(view, call, {AT_FDCWD, 0, last},
                       [&](FdRef file) { return set_attribute(call, file); });
}

template<FinalLink last>
CallAnswer removexattr_call(const KernelView& view, const Call& call) {
  return answer_change(view, call, {AT_FDCWD, 0, last},
                       [&](FdRef file) { return remove_attribute(call, file); });
}

#ifdef SYS_chmod
CallAnswer chmod_call(const KernelView& view, const Call& call) {
  return answer_chmod(view, call, {AT_FDCWD, 0, FinalLink::follow});
}

CallAnswer chown_call(const KernelView& view, const Call& call) {
  return answer_chown(view, call, {AT_FDCWD, 0, FinalLink::follow});
}

CallAnswer lchown_call(const KernelView& view, const Call& call) {
  return answer_chown(view, call, {AT_FDCWD, 0, FinalLink::keep});
}

CallAnswer utime_call(const KernelView& view, const Call& call) {
  return answer_times<utimbuf>(view, call, {AT_FDCWD, 0, FinalLink::follow});
}

CallAnswer utimes_call(const KernelView& view, const Call& call) {
  return answer_times<std::array<timeval, 2>>(view, call, {AT_FDCWD, 0, FinalLink::follow});
}

CallAnswer futimesat_call(const KernelView& view, const Call& call) {
  return answer_times<std::array<timeval, 2>>(view, call,
                                              {call.int_argument(0), 1, FinalLink::follow});
}
#endif

constexpr ChrootCall inode_table[] = {
#ifdef SYS_chmod
    {{SYS_chmod}, chmod_call},
    {{SYS_chown}, chown_call},
    {{SYS_lchown}, lchown_call},
    {{SYS_utime}, utime_call},
    {{SYS_utimes}, utimes_call},
    {{SYS_futimesat}, futimesat_call},
#endif
    {{SYS_fchmodat}, fchmodat_call},
    {{SYS_fchmodat2, TrappedCall::Pass{3, by_descriptor}}, fchmodat2_call},
    {{SYS_fchownat, TrappedCall::Pass{4, by_descriptor}}, fchownat_call},
    {{SYS_utimensat, TrappedCall::Pass{1}}, utimensat_call},
    {{SYS_truncate}, truncate_call},
    {{SYS_setxattr}, setxattr_call<FinalLink::follow>},
    {{SYS_lsetxattr}, setxattr_call<FinalLink::keep>},
    {{SYS_removexattr}, removexattr_call<FinalLink::follow>},
    {{SYS_lremovexattr}, removexattr_call<FinalLink::keep>},
};

} // namespace

std::span<const ChrootCall> inode_calls() {
  return inode_table;
}

} // namespace cairn
