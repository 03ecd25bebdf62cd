#include "run/chroot/chroot_calls.hpp"

#include <sys/syscall.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

CallAnswer uname_call(const KernelView& view, const Call& call) {
  // The kernel's own structure, which is libc's on these machines.
  utsname names{};
  if (::uname(&names) != 0)
    return FailedCall{errno};
  const auto size = std::min(view.hostname().size(), sizeof names.nodename - 1);
  std::fill(std::begin(names.nodename), std::end(names.nodename), '\0');
  std::copy_n(view.hostname().begin(), size, std::begin(names.nodename));
  return write_answer(call, 0, &names);
}

constexpr ChrootCall name_table[] = {{{SYS_uname}, uname_call}};

} // namespace

std::span<const ChrootCall> name_calls() {
  return name_table;
}

} // namespace cairn
