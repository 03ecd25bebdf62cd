#pragma once

#include <climits>
#include <cstddef>

namespace cairn {

/// Small steps around mount(2). All are async-signal-safe and return 0 or an errno.

/// A path put together on the stack. What does not fit is cut, and then not found.
class StackPath {
public:
  StackPath(const char* directory, const char* name) noexcept;
  /// "<directory>/<number>"
  StackPath(const char* directory, int number) noexcept;
  const char* c_str() const noexcept { return text_; }

private:
  void append(const char* part) noexcept;

  char text_[PATH_MAX + 64] = {};
  std::size_t size_ = 0;
};

/// Adds MS_RDONLY, MS_NOSUID, MS_NODEV or MS_NOEXEC to a mount. It keeps those it has, as it must
/// when it came from outside a user namespace.
int add_mount_flags(const char* target, unsigned long flags) noexcept;

/// Shows `source`, with what is mounted below it, at `target`, and adds flags at the top.
int bind_mount(const char* source, const char* target, unsigned long flags) noexcept;

/// Protects a mount and all below it from writes; the top alone before Linux 5.12.
enum class Protected { all, top };
int protect_mount(const char* target, Protected& how) noexcept;

/// Hides a file or directory. Quiet when it does not exist.
int mask_path(const char* path) noexcept;

/// Protects a part of a mount from writes. Quiet when it does not exist, or is protected.
int protect_path(const char* path) noexcept;

} // namespace cairn
