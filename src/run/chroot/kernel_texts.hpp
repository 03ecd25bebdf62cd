#pragma once

#include <string>
#include <string_view>

namespace cairn {

/// What mounts, mountinfo and mountstats (proc_pid_mounts(5)) say in a root on which nothing is
/// mounted, as if it were a container's.
std::string mounts_text(std::string_view file);

/// What the status of a process would say if nobody supervised it: `text` without rights that are
/// asleep and without what the supervision sets.
std::string status_text(std::string_view text);

} // namespace cairn
