#include "run/chroot/chroot_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

CallAnswer answer_stat(const KernelView& view, const Call& call, int directory, unsigned path,
                       FinalLink last) {
  const auto found = view.find(call, directory, path, last);
  if (!found)
    return PassedCall{};
  // The kernel's own structure, which is libc's on these machines.
  struct stat info {};
  if (found->error != 0)
    return FailedCall{found->error};
  if (::syscall(SYS_newfstatat, found->file.get(), "", &info, AT_EMPTY_PATH) != 0)
    return FailedCall{errno};
  return write_answer(call, path + 1, &info);
}

CallAnswer stat_call(const KernelView& view, const Call& call) {
  return answer_stat(view, call, AT_FDCWD, 0, FinalLink::follow);
}

CallAnswer lstat_call(const KernelView& view, const Call& call) {
  return answer_stat(view, call, AT_FDCWD, 0, FinalLink::keep);
}

CallAnswer newfstatat_call(const KernelView& view, const Call& call) {
  return answer_stat(view, call, call.int_argument(0), 1, last_link(call.int_argument(3)));
}

CallAnswer statx_call(const KernelView& view, const Call& call) {
  const auto found = view.find(call, call.int_argument(0), 1, last_link(call.int_argument(2)));
  if (!found)
    return PassedCall{};
  if (found->error != 0)
    return FailedCall{found->error};
  struct statx info {};
  if (::syscall(SYS_statx, found->file.get(), "",
                AT_EMPTY_PATH | (call.int_argument(2) & AT_STATX_SYNC_TYPE), call.int_argument(3),
                &info) != 0)
    return FailedCall{errno};
  return write_answer(call, 4, &info);
}

constexpr ChrootCall stat_table[] = {
#ifdef SYS_stat
    {{SYS_stat}, stat_call},
    {{SYS_lstat}, lstat_call},
#endif
    {{SYS_newfstatat, TrappedCall::Pass{3, by_descriptor}}, newfstatat_call},
    {{SYS_statx, TrappedCall::Pass{2, by_descriptor}}, statx_call},
};

} // namespace

std::span<const ChrootCall> stat_calls() {
  return stat_table;
}

} // namespace cairn
