#include "run/chroot/chroot_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>

namespace cairn {

namespace {

/// The kernel's files have none that a command could miss.
template<class None>
CallAnswer answer(const KernelView& view, const Call& call, FinalLink last, const None& none) {
  const auto found = view.find(call, AT_FDCWD, 0, last);
  if (!found)
    return PassedCall{};
  if (found->error != 0)
    return FailedCall{found->error};
  return none;
}

CallAnswer getxattr_call(const KernelView& view, const Call& call) {
  return answer(view, call, FinalLink::follow, FailedCall{ENODATA});
}

CallAnswer lgetxattr_call(const KernelView& view, const Call& call) {
  return answer(view, call, FinalLink::keep, FailedCall{ENODATA});
}

CallAnswer listxattr_call(const KernelView& view, const Call& call) {
  return answer(view, call, FinalLink::follow, ReturnedValue{0});
}

CallAnswer llistxattr_call(const KernelView& view, const Call& call) {
  return answer(view, call, FinalLink::keep, ReturnedValue{0});
}

constexpr ChrootCall attribute_table[] = {
    {{SYS_getxattr}, getxattr_call},
    {{SYS_lgetxattr}, lgetxattr_call},
    {{SYS_listxattr}, listxattr_call},
    {{SYS_llistxattr}, llistxattr_call},
};

} // namespace

std::span<const ChrootCall> attribute_calls() {
  return attribute_table;
}

} // namespace cairn
