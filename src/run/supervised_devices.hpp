#pragma once

#include <string>
#include <vector>

namespace cairn {

/// Fills an empty directory with what a container has in /dev: devices, links, places for terminals
/// and shared memory. @return the names of devices that cannot be used where they are, because no
/// node can be made or opened there. @throws SysError
std::vector<std::string> make_devices(const std::string& directory);

/// Makes in an empty directory what of /proc the kernel finds there when it follows a link that
/// nobody looked at, as one of /var/log to /dev/stdout: /proc/self/fd with standard input. @return
/// that directory @throws SysError
std::string make_own_descriptors(const std::string& directory);

} // namespace cairn
