#pragma once

#include <optional>
#include <string>

namespace cairn {

/// Which run of the machine this is (/proc/sys/kernel/random/boot_id); nothing when it cannot be
/// told.
std::optional<std::string> boot_id();

/// A file that says that something is written to in this run of the machine and may not be on the
/// disk yet. After a power cut it tells that what was written cannot be relied on.
class BootMark {
public:
  explicit BootMark(std::string path) : path_(std::move(path)) {}

  /// Whether what it is about was left by a machine that went down, or by another machine.
  bool is_from_elsewhere() const;
  /// Makes the mark of this run, on the disk when this returns. @throws SysError
  void set() const;
  /// What was written is on the disk. Quiet when that cannot be noted: then it counts for less.
  void clear() const noexcept;

private:
  std::optional<std::string> text() const;

  std::string path_;
};

} // namespace cairn
