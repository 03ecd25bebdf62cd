#include "fs/archive/compress.hpp"

#include "fs/archive/deflate.hpp"
#include "fs/archive/filter.hpp"
#include "fs/archive/gzip_sink.hpp"
#include "fs/archive/zstd.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

/// More than this gains little: the tar stream itself is made and hashed by one thread.
constexpr std::size_t max_threads = 4;

std::size_t thread_count(const CompressionChoice& choice) {
  return std::clamp<std::size_t>(choice.threads, 1, max_threads);
}

class PlainSink final : public Sink {
public:
  explicit PlainSink(Sink& to) : to_(to) {}
  void write(std::span<const std::byte> bytes) override { to_.write(bytes); }

private:
  Sink& to_;
};

class PlainSource final : public Source {
public:
  explicit PlainSource(Source& from) : from_(from) {}
  std::size_t read(std::span<std::byte> buffer) override { return from_.read(buffer); }

private:
  Source& from_;
};

/// Looks at the first bytes before it decides.
class DetectingSource final : public Source {
public:
  explicit DetectingSource(Source& from) : from_(from), whole_(*this) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (!plain_)
      plain_ = choose();
    return plain_->read(buffer);
  }

private:
  /// The bytes that were looked at, then the rest.
  class Whole final : public Source {
  public:
    explicit Whole(DetectingSource& owner) : owner_(owner) {}
    std::size_t read(std::span<std::byte> buffer) override {
      const auto count = owner_.head_.read(buffer);
      return count != 0 ? count : owner_.from_.read(buffer);
    }

  private:
    DetectingSource& owner_;
  };

  std::unique_ptr<Source> choose() {
    while (filled_ < magic_.size()) {
      const auto count = from_.read(std::as_writable_bytes(std::span(magic_)).subspan(filled_));
      if (count == 0)
        break;
      filled_ += count;
    }
    const std::string_view magic(magic_.data(), filled_);
    head_ = TextSource(magic);
    if (const auto method = told_compression(magic); method != Compression::none)
      return make_decompressor(whole_, method);
    if (is_bzip2(magic) || magic.starts_with(std::string_view("\xfd\x37zXZ\0", 6)))
      return make_filter_source(whole_);
    return std::make_unique<PlainSource>(whole_);
  }

  // Longer than the usual three letters, with which the name of a file might begin.
  static bool is_bzip2(std::string_view magic) {
    return magic.starts_with("BZh") && magic.ends_with("1AY&SY");
  }

  Source& from_;
  std::array<char, 10> magic_{};
  std::size_t filled_ = 0;
  TextSource head_{""};
  Whole whole_;
  std::unique_ptr<Source> plain_;
};

GzipSink::MakeCodec deflate_codec(std::optional<int> level) {
  if (level.value_or(-1) < 0)
    return [] { return make_fast_deflate(2); };
  if (*level > 9)
    throw Error("gzip has no compression level {}: use 0 to 9", *level);
  // ISA-L's levels 1 and 2 are faster than any of zlib's; who asks for 4 or more asks for size.
  if (*level >= 1 && *level <= 3)
    return [fast = std::min(*level, 2)] { return make_fast_deflate(fast); };
  return [level = *level] { return make_small_deflate(level); };
}

int zstd_level(std::optional<int> level) {
  if (level.value_or(-1) < 0 || *level == 0)
    return 3;
  if (*level > 22)
    throw Error("zstd has no compression level {}: use 1 to 22", *level);
  return *level;
}

} // namespace

Compression told_compression(std::string_view start) {
  if (start.starts_with("\x1f\x8b"))
    return Compression::gzip;
  // A frame, or a skippable one before it (RFC 8878 section 3.1).
  const bool is_zstd = start.starts_with("\x28\xb5\x2f\xfd") ||
                       (start.size() >= told_by && (start[0] & 0xf0) == 0x50 &&
                        start.substr(1, 3) == "\x2a\x4d\x18");
  return is_zstd ? Compression::zstd : Compression::none;
}

std::unique_ptr<Sink> make_compressor(Sink& to, const CompressionChoice& choice) {
  switch (choice.method) {
  case Compression::gzip:
    return std::make_unique<GzipSink>(to, deflate_codec(choice.level), thread_count(choice));
  case Compression::zstd:
    return make_zstd_sink(to, zstd_level(choice.level), thread_count(choice));
  case Compression::none:
    break;
  }
  return std::make_unique<PlainSink>(to);
}

std::unique_ptr<Source> make_decompressor(Source& from, Compression method) {
  switch (method) {
  case Compression::gzip:
    return make_gunzip(from);
  case Compression::zstd:
    return make_unzstd(from);
  case Compression::none:
    break;
  }
  return std::make_unique<PlainSource>(from);
}

std::unique_ptr<Source> make_decompressor(Source& from) {
  return std::make_unique<DetectingSource>(from);
}

} // namespace cairn
