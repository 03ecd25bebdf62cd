#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace cairn {

/// The content of /proc/PID/uid_map for a namespace in which all ids mean what they mean here;
/// `own_map` is this process's. @throws Error when it is none
std::string identity_map(std::string_view own_map);

/// Gives a process in a fresh user namespace the ids of this one. Needs CAP_SETUID and CAP_SETGID,
/// and CAP_SETFCAP since Linux 5.12. @throws SetupError
void map_identity(pid_t process);

} // namespace cairn
