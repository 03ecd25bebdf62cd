#include "run/chroot/chroot_calls.hpp"

#include <sys/syscall.h>

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace cairn {

namespace {

/// What rt_sigaction(2) takes begins like this.
struct SignalAction {
  std::uint64_t handler = 0;
  std::uint64_t flags = 0;
};

/// Until its supervisor has received it, a signal ends a stopped call with EINTR, though the kernel
/// never ends this one so, unless the signal's handler lets calls begin anew. Shells have one for
/// SIGCHLD that does not: a job that ends would have them not find a file. What waits for events
/// (poll, select, sigsuspend) ends by any signal. The text is libc's copy.
CallAnswer rt_sigaction_call(const KernelView&, const Call& call) {
  SignalAction action;
  if (call.int_argument(0) != SIGCHLD || call.argument(1) == 0 ||
      call.read(call.argument(1), std::span(reinterpret_cast<char*>(&action), sizeof action)) != 0)
    return PassedCall{};
  const auto ignore = reinterpret_cast<std::uint64_t>(SIG_IGN);
  if (action.handler > ignore && (action.flags & SA_RESTART) == 0) {
    const std::uint64_t flags = action.flags | SA_RESTART;
    (void)call.write(call.argument(1) + offsetof(SignalAction, flags),
                     std::span(reinterpret_cast<const char*>(&flags), sizeof flags));
  }
  return PassedCall{};
}

constexpr ChrootCall signal_table[] = {
    // Most other signals.
    {{SYS_rt_sigaction, TrappedCall::Pass{0, ~std::uint32_t{SIGCHLD}}}, rt_sigaction_call},
};

} // namespace

std::span<const ChrootCall> signal_calls() {
  return signal_table;
}

} // namespace cairn
