#pragma once

#include <span>

namespace cairn {

/// Where the kernel keeps the program's command line, which anyone in the same pid namespace can
/// read as /proc/<pid>/cmdline. Empty when it cannot be told (proc(5), stat, arg_start).
std::span<char> argument_area();

} // namespace cairn
