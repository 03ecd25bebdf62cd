#include "run/mounts/mtime_guard.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <cerrno>

namespace cairn {

MtimeGuard::MtimeGuard(FdRef directory)
    : directory_(open_at(directory, ".", O_RDONLY | O_DIRECTORY)) {
  if (::fstat(directory_.get(), &info_) != 0)
    throw SysError(errno, "stat a directory");
}

MtimeGuard::~MtimeGuard() {
  const timespec times[2] = {{0, UTIME_OMIT}, info_.st_mtim};
  ::futimens(directory_.get(), times);
}

} // namespace cairn
