#include "run/chroot/changing_calls.hpp"

#include "run/chroot/call_flags.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace cairn {

namespace {

constexpr Operand entry(int path, int directory = no_argument) {
  return {Operand::Kind::entry, path, directory};
}

constexpr Operand file(int path, int directory = no_argument, FinalLink last = FinalLink::follow,
                       int flags = no_argument) {
  return {Operand::Kind::file, path, directory, last, flags};
}

constexpr Operand link(int path, int directory = no_argument, int flags = no_argument) {
  return file(path, directory, FinalLink::keep, flags);
}

constexpr Operand descriptor = file(no_argument, 0);

constexpr ChangingCall call_table[] = {
#ifdef SYS_open
    {SYS_open, Change::opens, file(0)},
    {SYS_creat, Change::opens, file(0)},
    {SYS_access, Change::asks, file(0)},
    {SYS_mkdir, Change::makes, entry(0)},
    {SYS_mknod, Change::makes, entry(0)},
    {SYS_symlink, Change::makes, entry(1)},
    {SYS_unlink, Change::removes, entry(0)},
    {SYS_rmdir, Change::removes, entry(0)},
    {SYS_rename, Change::moves, entry(0), entry(1)},
    {SYS_link, Change::links, link(0), entry(1)},
    {SYS_chmod, Change::alters, file(0)},
    {SYS_chown, Change::alters, file(0)},
    {SYS_lchown, Change::alters, link(0)},
    {SYS_utime, Change::alters, file(0)},
    {SYS_utimes, Change::alters, file(0)},
    {SYS_futimesat, Change::alters, file(1, 0)},
#endif
#ifdef SYS_renameat
    {SYS_renameat, Change::moves, entry(1, 0), entry(3, 2)},
#endif
    {SYS_openat, Change::opens, file(1, 0)},
    {SYS_openat2, Change::opens, file(1, 0)},
    {SYS_faccessat, Change::asks, file(1, 0)},
    {SYS_faccessat2, Change::asks, file(1, 0, FinalLink::follow, 3)},
    {SYS_mkdirat, Change::makes, entry(1, 0)},
    {SYS_mknodat, Change::makes, entry(1, 0)},
    {SYS_symlinkat, Change::makes, entry(2, 1)},
    {SYS_unlinkat, Change::removes, entry(1, 0)},
    {SYS_renameat2, Change::moves, entry(1, 0), entry(3, 2)},
    {SYS_linkat, Change::links, link(1, 0, 4), entry(3, 2)},
    {SYS_fchmodat, Change::alters, file(1, 0)},
    {SYS_fchmodat2, Change::alters, file(1, 0, FinalLink::follow, 3)},
    {SYS_fchownat, Change::alters, file(1, 0, FinalLink::follow, 4)},
    {SYS_utimensat, Change::alters, file(1, 0, FinalLink::follow, 3)},
    {SYS_truncate, Change::alters, file(0)},
    {SYS_setxattr, Change::alters, file(0)},
    {SYS_lsetxattr, Change::alters, link(0)},
    {SYS_removexattr, Change::alters, file(0)},
    {SYS_lremovexattr, Change::alters, link(0)},
    {SYS_fchmod, Change::alters, descriptor},
    {SYS_fchown, Change::alters, descriptor},
    {SYS_fsetxattr, Change::alters, descriptor},
    {SYS_fremovexattr, Change::alters, descriptor},
};

int flags_of(const Call& call, const Operand& operand) {
  return operand.flags == no_argument ? 0 : call.int_argument(static_cast<unsigned>(operand.flags));
}

int behind_path(const Call& call, const Operand& operand) {
  return call.int_argument(static_cast<unsigned>(operand.path) + 1);
}

} // namespace

std::span<const ChangingCall> changing_calls() {
  return call_table;
}

const ChangingCall* find_changing(int number) noexcept {
  const auto* const found =
      std::find_if(std::begin(call_table), std::end(call_table),
                   [&](const ChangingCall& each) { return each.number == number; });
  return found == std::end(call_table) ? nullptr : found;
}

int directory_of(const Call& call, const Operand& operand) {
  return operand.directory == no_argument
             ? AT_FDCWD
             : call.int_argument(static_cast<unsigned>(operand.directory));
}

FinalLink last_of(const Call& call, const Operand& operand) {
  const int flags = flags_of(call, operand);
  if ((flags & AT_SYMLINK_FOLLOW) != 0)
    return FinalLink::follow;
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? FinalLink::keep : operand.last;
}

bool is_descriptor(const Call& call, const Operand& operand) {
  if (operand.path == no_argument || (call.number() == SYS_utimensat && call.argument(1) == 0))
    return true;
  // With a path that flag means nothing.
  return (flags_of(call, operand) & AT_EMPTY_PATH) != 0 &&
         call.glance_at_path(static_cast<unsigned>(operand.path)).text.empty();
}

int open_flags(const Call& call, const Operand& operand) {
#ifdef SYS_creat
  if (call.number() == SYS_creat)
    return O_CREAT | O_WRONLY | O_TRUNC;
#endif
  if (call.number() != SYS_openat2)
    return behind_path(call, operand);
  const auto how = how_of(call);
  return how ? static_cast<int>(how->flags) : 0;
}

bool asks_to_write(const Call& call, const Operand& operand) {
  return (behind_path(call, operand) & W_OK) != 0;
}

} // namespace cairn
