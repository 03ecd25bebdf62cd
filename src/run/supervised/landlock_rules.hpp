#pragma once

#include "util/fd.hpp"

#include <string>

namespace cairn {

/// Rules (landlock(7)) by which a process reaches files below `root` and those of the kernel alone,
/// and sends signals to no process but those under the same rules: whatever way it finds out of its
/// root leads to nothing. Empty where the kernel has no rules that a build can live with, which are
/// those of Linux 5.19. @throws SysError
Fd make_landlock_rules(const std::string& root);

/// Puts the calling process under them; no_new_privs must be set. 0 or an errno.
/// Async-signal-safe.
int submit_to_rules(int rules) noexcept;

} // namespace cairn
