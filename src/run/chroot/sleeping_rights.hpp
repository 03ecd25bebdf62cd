#pragma once

#include "run/chroot/kernel_view.hpp"
#include "run/supervised/call.hpp"
#include "run/supervised/call_filter.hpp"

#include <map>
#include <optional>
#include <span>

namespace cairn {

/// Lets programs that change their user (setuid, setgid: sudo, su) do so in a command of another
/// user than root. The kernel ignores these bits of a command that is supervised
/// (no_new_privs), so such a command keeps root's capabilities, asleep: permitted, never effective
/// (become_user_with()). Every program that it starts begins with all of them effective; its first
/// call puts them to sleep. One that is setuid gets what the bit says before it starts.
class SleepingRights {
public:
  /// Those besides the others of a command.
  static std::span<const TrappedCall> calls();

  /// Nothing for a call that has to do with other things.
  std::optional<CallAnswer> answer(const KernelView& view, const Call& call);

private:
  struct RealIds {
    uid_t user;
    gid_t group;
  };

  std::optional<CallAnswer> start_program(const KernelView& view, const Call& call);
  CallAnswer begin(const Call& call);

  /// Of processes that become a setuid program, from before that until its first call: the kernel
  /// wants the real ids to be the effective ones meanwhile.
  std::map<pid_t, RealIds> real_ids_;
};

} // namespace cairn
