#pragma once

#include <cstdint>
#include <string>

namespace cairn {

/// Linux capabilities as bits, by their number in linux/capability.h.
using CapabilitySet = std::uint64_t;

constexpr CapabilitySet capability(int number) {
  return CapabilitySet{1} << number;
}

/// What a container gets by default, and a RUN with it: CHOWN DAC_OVERRIDE FOWNER FSETID KILL
/// SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP.
extern const CapabilitySet container_capabilities;

/// What works in the container's own "/" need at least.
extern const CapabilitySet inplace_capabilities;

/// What a supervised command's root needs at least.
extern const CapabilitySet supervised_capabilities;

/// Those of the calling thread, or none when the kernel does not say. Async-signal-safe.
CapabilitySet effective_capabilities() noexcept;
CapabilitySet permitted_capabilities() noexcept;

/// "CAP_CHOWN, CAP_SETUID"; a number for those without a name here.
std::string capability_names(CapabilitySet set);

/// Takes from the bounding and ambient sets all that is not in `kept`: nothing that the calling
/// thread executes can get it back. 0 or an errno. Async-signal-safe.
int bound_capabilities(CapabilitySet kept) noexcept;

/// Makes `kept` the permitted and effective set and empties the inheritable one. 0 or an errno.
/// Async-signal-safe.
int set_capabilities(CapabilitySet kept) noexcept;

/// Makes `active`, or what of it is permitted, the effective set; what that was before.
CapabilitySet activate_capabilities(CapabilitySet active) noexcept;
constexpr CapabilitySet all_capabilities = ~CapabilitySet{0};

/// Changes all user ids to one that is not root's and keeps `kept` for what is executed from then
/// on: permitted, inheritable and ambient. None is effective, until the next execve(2) makes all of
/// them so. 0 or an errno. Async-signal-safe.
int become_user_with(CapabilitySet kept, unsigned uid) noexcept;

/// What capset(2) takes: a header for the calling thread, and the three sets right behind it.
struct CapabilityCall {
  struct Sets {
    CapabilitySet effective = 0;
    CapabilitySet permitted = 0;
    CapabilitySet inheritable = 0;
  };
  static constexpr std::size_t sets_offset = 8; ///< Of the sets, in bytes.
  static std::string text(const Sets& sets);
};

} // namespace cairn
