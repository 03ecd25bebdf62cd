#include "util/stream.hpp"

#include "util/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace cairn {

std::uint64_t copy(Source& from, Sink& to) {
  std::vector<std::byte> buffer(stream_block);
  std::uint64_t total = 0;
  while (const auto count = from.read(buffer)) {
    to.write(std::span(buffer).first(count));
    total += count;
  }
  return total;
}

std::string read_all(Source& from, std::uint64_t limit) {
  LimitSource limited(from, limit, "text");
  TextSink text;
  copy(limited, text);
  return text.text();
}

void write_text(Sink& to, std::string_view text) {
  to.write(std::as_bytes(std::span(text)));
}

std::size_t TextSource::read(std::span<std::byte> buffer) {
  const auto count = std::min(buffer.size(), rest_.size());
  if (count != 0)
    std::memcpy(buffer.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

void TextSink::write(std::span<const std::byte> bytes) {
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::size_t FileSource::read(std::span<std::byte> buffer) {
  return read_some(fd_, buffer);
}

std::size_t RangeSource::read(std::span<std::byte> buffer) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  if (wanted == 0)
    return 0;
  ssize_t count = 0;
  do
    count = ::pread(file_.get(), buffer.data(), wanted, static_cast<off_t>(offset_));
  while (count < 0 && errno == EINTR);
  if (count < 0)
    throw SysError(errno, "read a part of a file");
  if (count == 0)
    throw Error("read a part of a file: it ends early");
  offset_ += static_cast<std::uint64_t>(count);
  left_ -= static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

void FileSink::write(std::span<const std::byte> bytes) {
  write_all(fd_, bytes);
}

void TeeSink::write(std::span<const std::byte> bytes) {
  first_.write(bytes);
  second_.write(bytes);
}

std::size_t TeeSource::read(std::span<std::byte> buffer) {
  const auto count = from_.read(buffer);
  if (count != 0)
    watcher_.write(buffer.first(count));
  return count;
}

void CountingSink::write(std::span<const std::byte> bytes) {
  next_.write(bytes);
  count_ += bytes.size();
}

std::size_t LimitSource::read(std::span<std::byte> buffer) {
  const auto count = from_.read(buffer);
  if (count > left_)
    throw Error("{} is larger than {} bytes", what_, limit_);
  left_ -= count;
  return count;
}

} // namespace cairn
