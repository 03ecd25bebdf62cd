#pragma once

#include "util/fd.hpp"

#include <sys/stat.h>

namespace cairn {

/// Remembers when a directory was changed, and says so again at the end of its life: what happens
/// in it meanwhile leaves no trace.
class MtimeGuard {
public:
  /// `directory` may be an O_PATH descriptor. @throws SysError
  explicit MtimeGuard(FdRef directory);
  MtimeGuard(const MtimeGuard&) = delete;
  MtimeGuard& operator=(const MtimeGuard&) = delete;
  ~MtimeGuard();

private:
  Fd directory_;
  struct stat info_ {};
};

} // namespace cairn
