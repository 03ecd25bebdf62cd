#include "run/process/capabilities.hpp"

#include <fmt/core.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace cairn {

namespace {

struct Named {
  int number;
  const char* name;
};

constexpr Named names[] = {{CAP_CHOWN, "CAP_CHOWN"},         {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
                           {CAP_FOWNER, "CAP_FOWNER"},       {CAP_SETGID, "CAP_SETGID"},
                           {CAP_SETUID, "CAP_SETUID"},       {CAP_SETFCAP, "CAP_SETFCAP"},
                           {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {CAP_SYS_CHROOT, "CAP_SYS_CHROOT"}};

constexpr int highest_possible = 63;

/// The kernel's form: 64 capabilities in two halves.
struct Sets {
  std::array<__user_cap_data_struct, 2> halves{};
};

// libcap is not needed for two system calls, and glibc does not wrap them.
int get_sets(Sets& sets) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capget, &header, sets.halves.data()) == 0 ? 0 : errno;
}

constexpr CapabilitySet whole(std::uint32_t low, std::uint32_t high) {
  return CapabilitySet{high} << 32 | low;
}

Sets make_sets(const CapabilityCall::Sets& whole) noexcept {
  Sets sets;
  for (unsigned i = 0; i < sets.halves.size(); ++i) {
    const unsigned shift = 32 * i;
    sets.halves[i].effective = static_cast<std::uint32_t>(whole.effective >> shift);
    sets.halves[i].permitted = static_cast<std::uint32_t>(whole.permitted >> shift);
    sets.halves[i].inheritable = static_cast<std::uint32_t>(whole.inheritable >> shift);
  }
  return sets;
}

int set_all(const CapabilityCall::Sets& whole) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto sets = make_sets(whole);
  return ::syscall(SYS_capset, &header, sets.halves.data()) == 0 ? 0 : errno;
}

} // namespace

constexpr CapabilitySet container_capabilities =
    capability(CAP_CHOWN) | capability(CAP_DAC_OVERRIDE) | capability(CAP_FOWNER) |
    capability(CAP_FSETID) | capability(CAP_KILL) | capability(CAP_SETGID) |
    capability(CAP_SETUID) | capability(CAP_SETPCAP) | capability(CAP_NET_BIND_SERVICE) |
    capability(CAP_NET_RAW) | capability(CAP_SYS_CHROOT) | capability(CAP_MKNOD) |
    capability(CAP_AUDIT_WRITE) | capability(CAP_SETFCAP);

constexpr CapabilitySet inplace_capabilities =
    capability(CAP_CHOWN) | capability(CAP_DAC_OVERRIDE) | capability(CAP_FOWNER) |
    capability(CAP_SETGID) | capability(CAP_SETUID);

constexpr CapabilitySet supervised_capabilities = inplace_capabilities | capability(CAP_SYS_CHROOT);

CapabilitySet effective_capabilities() noexcept {
  Sets sets;
  return get_sets(sets) == 0 ? whole(sets.halves[0].effective, sets.halves[1].effective) : 0;
}

CapabilitySet permitted_capabilities() noexcept {
  Sets sets;
  return get_sets(sets) == 0 ? whole(sets.halves[0].permitted, sets.halves[1].permitted) : 0;
}

std::string capability_names(CapabilitySet set) {
  std::string text;
  for (int number = 0; number <= highest_possible; ++number) {
    if ((set & capability(number)) == 0)
      continue;
    std::string name = fmt::format("capability {}", number);
    for (const auto& known : names) {
      if (known.number == number)
        name = known.name;
    }
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

int bound_capabilities(CapabilitySet kept) noexcept {
  for (int number = 0; number <= highest_possible; ++number) {
    if ((kept & capability(number)) != 0)
      continue;
    const int held = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (held < 0)
      break; // The kernel knows no higher one.
    if (held == 1 && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0)
      return errno;
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return 0;
}

int set_capabilities(CapabilitySet kept) noexcept {
  return set_all({kept, kept, 0});
}

CapabilitySet activate_capabilities(CapabilitySet active) noexcept {
  Sets sets;
  if (get_sets(sets) != 0)
    return 0;
  const auto permitted = whole(sets.halves[0].permitted, sets.halves[1].permitted);
  set_all({active & permitted, permitted,
           whole(sets.halves[0].inheritable, sets.halves[1].inheritable)});
  return whole(sets.halves[0].effective, sets.halves[1].effective);
}

int become_user_with(CapabilitySet kept, unsigned uid) noexcept {
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || ::syscall(SYS_setresuid, uid, uid, uid) != 0)
    return errno;
  if (const int error = set_all({0, kept, kept}); error != 0)
    return error;
  for (int number = 0; number <= highest_possible; ++number)
    if ((kept & capability(number)) != 0 &&
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0)
      return errno;
  return 0;
}

std::string CapabilityCall::text(const Sets& sets) {
  static_assert(sizeof(__user_cap_header_struct) == sets_offset);
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto halves = make_sets(sets).halves;
  std::string text(reinterpret_cast<const char*>(&header), sizeof header);
  return text.append(reinterpret_cast<const char*>(halves.data()), sizeof halves);
}

} // namespace cairn
