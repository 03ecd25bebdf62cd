#include "build/spool.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

class RangeSource final : public Source {
public:
  RangeSource(FdRef file, std::uint64_t offset, std::uint64_t size)
      : file_(file), offset_(offset), left_(size) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
    if (wanted == 0)
      return 0;
    ssize_t count = 0;
    do
      count = ::pread(file_.get(), buffer.data(), wanted, static_cast<off_t>(offset_));
    while (count < 0 && errno == EINTR);
    if (count < 0)
      throw SysError(errno, "read spooled content");
    if (count == 0)
      throw Error("read spooled content: it ends early");
    offset_ += static_cast<std::uint64_t>(count);
    left_ -= static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }

private:
  FdRef file_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

Fd nameless_file(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    return Fd(fd);
  // Some file systems have no O_TMPFILE.
  auto name = directory + "/spool-XXXXXX";
  Fd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file)
    throw SysError(errno, "create spool in '{}'", directory);
  ::unlink(name.c_str());
  return file;
}

} // namespace

Spool::Spool(const std::string& directory) : file_(nameless_file(directory)) {}

std::size_t Spool::close_range() {
  const auto end = static_cast<std::uint64_t>(::lseek(file_.get(), 0, SEEK_CUR));
  ranges_.push_back({end_, end - end_});
  end_ = end;
  return ranges_.size() - 1;
}

std::size_t Spool::add(Source& content) {
  FileSink sink(file_);
  copy(content, sink);
  return close_range();
}

std::size_t Spool::add(TarReader& entry) {
  FileSink sink(file_);
  entry.copy_to(sink);
  return close_range();
}

std::unique_ptr<Source> Spool::open(std::size_t number) const {
  const auto& range = ranges_.at(number);
  return std::make_unique<RangeSource>(file_.ref(), range.offset, range.size);
}

} // namespace cairn
