#include "run/chroot/chroot_calls.hpp"
#include "run/chroot/link_text.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

/// A file that is open is given a name, which it may not have had before (O_TMPFILE of open(2)).
CallAnswer linkat_call(const KernelView& view, const Call& call) {
  if ((call.int_argument(4) & AT_SYMLINK_FOLLOW) == 0)
    return PassedCall{};
  const auto found = view.find(call, call.int_argument(0), 1, FinalLink::follow);
  if (!found)
    return PassedCall{};
  const auto path = call.path(3);
  const int error = found->error != 0 ? found->error : path.error;
  if (error != 0)
    return FailedCall{error};
  const auto parent =
      view.find_inside(call, call.int_argument(2), parent_of(path.text), FinalLink::follow);
  if (!parent || found->access == MountAccess::read_only || found->content ||
      view.read_only().find(parent->file))
    return FailedCall{EXDEV};
  if (parent->error != 0)
    return FailedCall{parent->error};
  const BorrowedRights rights(found->thread);
  if (::linkat(AT_FDCWD, own_path(found->file).c_str(), parent->file.get(),
               std::string(last_name_of(path.text)).c_str(), AT_SYMLINK_FOLLOW) != 0)
    return FailedCall{errno};
  return ReturnedValue{0};
}

constexpr ChrootCall link_table[] = {{{SYS_linkat}, linkat_call}};

} // namespace

std::span<const ChrootCall> link_calls() {
  return link_table;
}

} // namespace cairn
