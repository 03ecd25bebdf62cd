#include "run/mounts/hosts_file.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr const char* path = "/etc/hosts";
constexpr std::uint64_t max_size = std::uint64_t{1} << 20;

} // namespace

HostsFile::HostsFile(const std::optional<std::string>& text) {
  if (!text)
    return;
  // A mount: it can be written, but neither replaced nor moved aside.
  Fd file(::open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return;
  before_ = read_file(file, max_size);
  file_ = std::move(file);
  write(*text);
}

HostsFile::~HostsFile() {
  try {
    if (file_)
      write(before_);
  } catch (const Error&) {
    // The container's names are of no more use to anybody than the file system it is on.
  }
}

void HostsFile::write(const std::string& text) const {
  if (::ftruncate(file_->get(), 0) != 0 || ::lseek(file_->get(), 0, SEEK_SET) != 0)
    throw SysError(errno, "write '{}'", path);
  write_all(*file_, std::as_bytes(std::span(text)));
}

} // namespace cairn
