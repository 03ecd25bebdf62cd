#pragma once

#include "util/fd.hpp"
#include "util/progress.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// Whether a file with credentials may lie on a disk.
enum class DiskRule { warn, allow, refuse };

struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// A folder that credentials are written to.
struct ConfigFolder {
  std::string path;
  DiskRule disk = DiskRule::warn;
  std::optional<FileOwner> owner =
      std::nullopt; ///< Of the folder and the file; nothing: ourselves.
};

/// Whether what is written there stays in memory: a tmpfs or ramfs.
bool is_in_memory(FdRef directory);

/// Writes `text` to the file `name` there, mode 0600, in a folder of mode 0700 that is made if it
/// does not exist. The file appears whole or not at all. A folder that is not ours keeps its mode,
/// with a warning when others can enter. @throws Error
void write_credential_file(const ConfigFolder& folder, const std::string& name,
                           std::string_view text, Progress& progress);

/// Removes it; false when it was not there. @throws Error
bool erase_credential_file(const std::string& directory, const std::string& name);

} // namespace cairn
