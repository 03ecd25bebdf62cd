#include "run/chroot/chroot_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>

namespace cairn {

namespace {

/// The directory is handed over, and the thread goes there by its descriptor.
CallAnswer chdir_call(const KernelView& view, const Call& call) {
  const auto found = view.find(call, AT_FDCWD, 0, FinalLink::follow);
  if (!found)
    return PassedCall{};
  if (found->error != 0)
    return FailedCall{found->error};
  const BorrowedRights rights(found->thread);
  auto directory = reopen(*found, O_RDONLY | O_DIRECTORY);
  if (!directory)
    return FailedCall{errno};
  const ReplayedCall::Step close{SYS_close};
  return ReplayedCall{
      .steps = {{SYS_fchdir}, close}, .file = std::move(directory), .undo = {close}};
}

CallAnswer getcwd_call(const KernelView& view, const Call& call) {
  const auto path = view.working_directory(call);
  if (!path)
    return PassedCall{};
  const auto size = path->size() + 1;
  if (call.argument(1) < size)
    return FailedCall{ERANGE};
  if (const int error = call.write(call.argument(0), std::span(path->c_str(), size)); error != 0)
    return FailedCall{error};
  return ReturnedValue{static_cast<std::int64_t>(size)};
}

constexpr ChrootCall directory_table[] = {
    {{SYS_chdir}, chdir_call},
    {{SYS_getcwd}, getcwd_call},
};

} // namespace

std::span<const ChrootCall> directory_calls() {
  return directory_table;
}

} // namespace cairn
