#include "builder/store/spool.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

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

std::unique_ptr<Source> Spool::open_part(std::size_t number, std::uint64_t offset,
                                         std::uint64_t size) const {
  return std::make_unique<RangeSource>(file_.ref(), ranges_.at(number).offset + offset, size);
}

} // namespace cairn
