#pragma once

#include <string>
#include <vector>

namespace cairn {

/// Fills an empty directory with what a container has in /dev: devices, links, places for terminals
/// and shared memory. @return the names of devices that cannot be used where they are, because no
/// node can be made or opened there. @throws SysError
std::vector<std::string> make_devices(const std::string& directory);

} // namespace cairn
