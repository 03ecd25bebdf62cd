#pragma once

#include "util/rooted_path.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

enum class MountMode { read_only, read_write };

/// A mount that this process sees.
struct MountEntry {
  RootedPath point;
  std::string type; ///< "tmpfs", "ext4", "proc", …
  MountMode mode = MountMode::read_write;
};

/// What a text like /proc/self/mountinfo says (proc_pid_mountinfo(5)), in its order; "/" itself
/// included. Lines that cannot be read are left out.
std::vector<MountEntry> parse_mount_table(std::string_view mountinfo);

} // namespace cairn
