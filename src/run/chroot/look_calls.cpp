#include "run/chroot/chroot_calls.hpp"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

CallAnswer answer_access(const KernelView& view, const Call& call, int directory, unsigned path,
                         int flags) {
  const auto found = view.find(call, directory, path, last_link(flags));
  if (!found)
    return PassedCall{};
  if (found->error != 0)
    return FailedCall{found->error};
  const int mode = call.int_argument(path + 1);
  if ((mode & W_OK) != 0 && found->access == MountAccess::read_only)
    return FailedCall{EROFS};
  const BorrowedRights rights(found->thread);
  if (!may_access(found->file, mode))
    return FailedCall{errno};
  return ReturnedValue{0};
}

CallAnswer access_call(const KernelView& view, const Call& call) {
  return answer_access(view, call, AT_FDCWD, 0, 0);
}

CallAnswer faccessat_call(const KernelView& view, const Call& call) {
  return answer_access(view, call, call.int_argument(0), 1, 0);
}

CallAnswer faccessat2_call(const KernelView& view, const Call& call) {
  return answer_access(view, call, call.int_argument(0), 1, call.int_argument(3));
}

CallAnswer answer_readlink(const KernelView& view, const Call& call, int directory, unsigned path) {
  const auto found = view.find(call, directory, path, FinalLink::keep);
  if (!found)
    return PassedCall{};
  if (found->error != 0)
    return FailedCall{found->error};
  const int size = call.int_argument(path + 2);
  if (found->text.empty() || size <= 0)
    return FailedCall{EINVAL};
  const auto text = found->text.substr(0, static_cast<std::size_t>(size));
  if (const int error = call.write(call.argument(path + 1), text); error != 0)
    return FailedCall{error};
  return ReturnedValue{static_cast<std::int64_t>(text.size())};
}

CallAnswer readlink_call(const KernelView& view, const Call& call) {
  return answer_readlink(view, call, AT_FDCWD, 0);
}

CallAnswer readlinkat_call(const KernelView& view, const Call& call) {
  return answer_readlink(view, call, call.int_argument(0), 1);
}

CallAnswer statfs_call(const KernelView& view, const Call& call) {
  const auto found = view.find(call, AT_FDCWD, 0, FinalLink::follow);
  if (!found)
    return PassedCall{};
  struct statfs info {};
  if (found->error != 0)
    return FailedCall{found->error};
  if (::fstatfs(found->file.get(), &info) != 0)
    return FailedCall{errno};
  return write_answer(call, 1, &info);
}

constexpr ChrootCall look_table[] = {
#ifdef SYS_access
    {{SYS_access}, access_call},         {{SYS_readlink}, readlink_call},
#endif
    {{SYS_faccessat}, faccessat_call},   {{SYS_faccessat2}, faccessat2_call},
    {{SYS_readlinkat}, readlinkat_call}, {{SYS_statfs}, statfs_call},
};

} // namespace

bool may_access(FdRef file, int mode) noexcept {
  return ::syscall(SYS_faccessat2, file.get(), "", mode, AT_EMPTY_PATH | AT_EACCESS) == 0;
}

std::span<const ChrootCall> look_calls() {
  return look_table;
}

} // namespace cairn
