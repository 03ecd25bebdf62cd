#include "run/supervised/chroot_calls.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>

namespace cairn {

namespace {

/// The kernel hides the memory of a process that has changed its ids, until it becomes another
/// program. So the thread says afterwards that it has nothing to hide.
CallAnswer change_ids(const KernelView&, const Call& call) {
  return ReplayedCall{.steps = {own_step(call), {SYS_prctl, {PR_SET_DUMPABLE, 1}}},
                      .otherwise = ReplayedCall::Otherwise::pass};
}

constexpr ChrootCall identity_table[] = {
    {{SYS_setuid}, change_ids}, {{SYS_setreuid}, change_ids}, {{SYS_setresuid}, change_ids},
    {{SYS_setgid}, change_ids}, {{SYS_setregid}, change_ids}, {{SYS_setresgid}, change_ids},
};

} // namespace

std::span<const ChrootCall> identity_calls() {
  return identity_table;
}

} // namespace cairn
