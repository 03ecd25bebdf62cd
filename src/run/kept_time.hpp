#pragma once

#include "util/fd.hpp"

#include <sys/stat.h>

namespace cairn {

/// Remembers when a directory was changed, and says so again at the end of its life: what happens
/// in it meanwhile leaves no trace.
class KeptTime {
public:
  /// `directory` may be an O_PATH descriptor. @throws SysError
  explicit KeptTime(FdRef directory);
  KeptTime(const KeptTime&) = delete;
  KeptTime& operator=(const KeptTime&) = delete;
  ~KeptTime();

private:
  Fd directory_;
  struct stat info_ {};
};

} // namespace cairn
