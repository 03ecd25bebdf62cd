#include "run/chroot/chroot_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>

namespace cairn {

namespace {

/// A program that is named by one of the kernel's links, like /proc/self/exe, is executed by its
/// own path.
CallAnswer execve_call(const KernelView& view, const Call& call) {
  const auto found = view.find(call, AT_FDCWD, 0, FinalLink::follow);
  if (!found) {
    const auto status = thread_status(call.thread());
    auto replay = status ? with_assumed_ids(call, *status) : std::nullopt;
    return replay ? CallAnswer(*std::move(replay)) : PassedCall{};
  }
  if (found->error != 0)
    return FailedCall{found->error};
  auto path = view.path_of(found->file);
  // Another thread than the first becomes the first one by this: it cannot be held meanwhile.
  if (!path || found->thread.process != call.thread())
    return FailedCall{EACCES};
  return ReplayedCall{.steps = {{SYS_execve, {0, call.argument(1), call.argument(2)}, {{0, 0}}}},
                      .text = *std::move(path)};
}

constexpr ChrootCall exec_table[] = {{{SYS_execve}, execve_call}};

} // namespace

std::span<const ChrootCall> exec_calls() {
  return exec_table;
}

} // namespace cairn
