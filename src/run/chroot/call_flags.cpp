#include "run/chroot/call_flags.hpp"

#include <span>

namespace cairn {

FinalLink last_link(int flags) noexcept {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? FinalLink::keep : FinalLink::follow;
}

bool wants_to_write(int flags) noexcept {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

bool makes_new(int flags) noexcept {
  return (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
}

FinalLink last_link_of_open(int flags) noexcept {
  return (flags & O_NOFOLLOW) != 0 || makes_new(flags) ? FinalLink::keep : FinalLink::follow;
}

std::optional<open_how> how_of(const Call& call) {
  open_how how{};
  if (call.argument(3) < sizeof how ||
      call.read(call.argument(2), std::span(reinterpret_cast<char*>(&how), sizeof how)) != 0)
    return std::nullopt;
  return how;
}

} // namespace cairn
