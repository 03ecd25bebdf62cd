#pragma once

#include "util/clock.hpp"
#include "util/rooted_path.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

enum class FileType { regular, directory, symlink, char_device, block_device, fifo };

struct Xattr {
  std::string name;  ///< "security.capability", "user.x"
  std::string value; ///< bytes

  bool operator==(const Xattr&) const = default;
  bool operator<(const Xattr& other) const noexcept {
    return name != other.name ? name < other.name : value < other.value;
  }
};

/// What a file system knows about a file, apart from its name and content.
struct Metadata {
  FileType type = FileType::regular;
  std::uint32_t mode = 0; ///< Permission bits with setuid, setgid and sticky: 07777.
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Time mtime{};
  std::uint64_t size = 0;  ///< Bytes of content; 0 for all but regular files.
  std::string link_target; ///< Of a symbolic link.
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::vector<Xattr> xattrs; ///< Sorted by name.

  bool operator==(const Metadata&) const = default;
};

inline bool is_directory(const Metadata& meta) noexcept {
  return meta.type == FileType::directory;
}

/// One member of a layer as its tar header describes it. Whiteouts are entries with their
/// ".wh." names (OCI image specification, Layer, Whiteouts).
struct LayerEntry {
  RootedPath path;
  Metadata meta;
  /// Another name for the file at this path; meta is then that of the header, without content.
  std::optional<RootedPath> hard_link;

  /// Whether bytes of content follow.
  bool has_content() const noexcept {
    return meta.type == FileType::regular && !hard_link && meta.size > 0;
  }
};

} // namespace cairn
