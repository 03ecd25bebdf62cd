#include "run/kept_time.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <cerrno>

namespace cairn {

KeptTime::KeptTime(FdRef directory) : directory_(open_at(directory, ".", O_RDONLY | O_DIRECTORY)) {
  if (::fstat(directory_.get(), &info_) != 0)
    throw SysError(errno, "stat a directory");
}

KeptTime::~KeptTime() {
  const timespec times[2] = {{0, UTIME_OMIT}, info_.st_mtim};
  ::futimens(directory_.get(), times);
}

} // namespace cairn
