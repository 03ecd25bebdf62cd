#include "builder/store/spool.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

/// A part of a file that is open as long as this is.
class PartOfFile final : public Source {
public:
  PartOfFile(Fd file, std::uint64_t offset, std::uint64_t size)
      : file_(std::move(file)), part_(file_, offset, size) {}

  std::size_t read(std::span<std::byte> buffer) override { return part_.read(buffer); }

private:
  Fd file_;
  RangeSource part_;
};

} // namespace

Spool::~Spool() {
  if (!path_.empty())
    ::unlink(path_.c_str());
}

FdRef Spool::file() {
  if (!file_) {
    auto name = directory_ + "/spool-XXXXXX";
    file_ = Fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!file_)
      throw SysError(errno, "create spool in '{}'", directory_);
    path_ = std::move(name);
  }
  return file_;
}

std::size_t Spool::close_range() {
  const auto end = static_cast<std::uint64_t>(::lseek(file_.get(), 0, SEEK_CUR));
  ranges_.push_back({end_, end - end_});
  end_ = end;
  return ranges_.size() - 1;
}

std::size_t Spool::add(Source& content) {
  FileSink sink(file());
  copy(content, sink);
  return close_range();
}

std::size_t Spool::add(TarReader& entry) {
  FileSink sink(file());
  entry.copy_to(sink);
  return close_range();
}

std::size_t Spool::add(EntryContent& content) {
  FileSink sink(file());
  content.copy_to(sink);
  return close_range();
}

void Spool::close() {
  file_ = Fd();
}

ContentOpener Spool::reader() const {
  if (path_.empty())
    return {};
  const auto file = std::make_shared<Fd>(open_at(current_directory(), path_, O_RDONLY));
  return [this, file](std::size_t number) -> std::unique_ptr<Source> {
    const auto& range = ranges_.at(number);
    return std::make_unique<RangeSource>(file->ref(), range.offset, range.size);
  };
}

std::unique_ptr<Source> Spool::open_part(std::size_t number, std::uint64_t offset,
                                         std::uint64_t size) const {
  return std::make_unique<PartOfFile>(open_at(current_directory(), path_, O_RDONLY),
                                      ranges_.at(number).offset + offset, size);
}

} // namespace cairn
