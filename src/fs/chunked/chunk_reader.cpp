#include "fs/chunked/chunk_reader.hpp"

#include "fs/archive/compress.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace cairn {

namespace {

void skip(Source& source, std::uint64_t count) {
  std::array<std::byte, 16384> waste{};
  while (count > 0) {
    const auto part = std::min<std::uint64_t>(count, waste.size());
    const auto got = source.read(std::span(waste).first(static_cast<std::size_t>(part)));
    if (got == 0)
      throw Error("it ends too early");
    count -= got;
  }
}

/// Bytes of a blob by their place in it, from as few requests as there are large gaps. Chunks are
/// announced in the order in which they will be read.
class BlobWindow final : public Source {
public:
  BlobWindow(const RangeOpener& open, std::uint64_t gap) : open_(open), gap_(gap) {}

  /// Makes read() give the bytes of the first of `chunks`. What is asked for reaches as far as the
  /// others go on from there.
  void move_to(std::span<const LayerChunk> chunks) {
    const auto& chunk = chunks.front();
    if (!source_ || chunk.blob_offset < at_ || chunk.blob_end > end_) {
      end_ = reach(chunks);
      source_.reset(); // One transfer after the other.
      source_ = open_({chunk.blob_offset, end_ - chunk.blob_offset});
      at_ = chunk.blob_offset;
    }
    skip_to(chunk.blob_offset);
    stop_ = chunk.blob_end;
  }

  std::size_t read(std::span<std::byte> buffer) override {
    const auto most = std::min<std::uint64_t>(stop_ - at_, buffer.size());
    if (most == 0)
      return 0;
    const auto count = source_->read(buffer.first(static_cast<std::size_t>(most)));
    at_ += count;
    return count;
  }

private:
  std::uint64_t reach(std::span<const LayerChunk> chunks) const {
    auto end = chunks.front().blob_end;
    auto begin = chunks.front().blob_offset;
    for (const auto& next : chunks.subspan(1)) {
      if (next.blob_offset < begin || (next.blob_offset > end && next.blob_offset - end > gap_))
        break;
      begin = next.blob_offset;
      end = std::max(end, next.blob_end);
    }
    return end;
  }

  void skip_to(std::uint64_t offset) {
    stop_ = offset;
    skip(*this, offset - at_);
  }

  const RangeOpener& open_;
  std::uint64_t gap_;
  std::unique_ptr<Source> source_;
  std::uint64_t at_ = 0;
  std::uint64_t end_ = 0;  ///< Of what was asked for.
  std::uint64_t stop_ = 0; ///< Of what read() may give.
};

/// Decompresses chunks, one after the other, and verifies them.
class ChunkStream {
public:
  ChunkStream(std::vector<LayerChunk> chunks, Compression compression, const RangeOpener& open,
              std::uint64_t gap)
      : chunks_(std::move(chunks)), compression_(compression), window_(open, gap) {}

  /// Makes read() give the bytes of the chunk of that number.
  void begin(std::size_t number) {
    const auto& chunk = chunks_[number];
    const bool goes_on = plain_ && member_ == chunk.blob_offset && member_at_ <= chunk.inner_offset;
    if (!goes_on) {
      plain_.reset();
      window_.move_to(std::span(chunks_).subspan(number));
      plain_ = make_decompressor(window_, compression_);
      member_ = chunk.blob_offset;
      member_at_ = 0;
    }
    number_ = number;
    left_ = chunk.size;
    hash_ = Sha256();
    describe([&] { skip(*plain_, chunk.inner_offset - member_at_); });
    member_at_ = chunk.inner_offset;
  }

  /// 0 when the chunk was all there and is the right one.
  std::size_t read(std::span<std::byte> buffer) {
    if (left_ == 0)
      return 0;
    return describe([&] {
      const auto most = std::min<std::uint64_t>(left_, buffer.size());
      const auto count = plain_->read(buffer.first(static_cast<std::size_t>(most)));
      if (count == 0)
        throw Error("it ends too early");
      hash_.write(buffer.first(count));
      left_ -= count;
      member_at_ += count;
      if (left_ == 0)
        verify();
      return count;
    });
  }

private:
  template<class Body>
  auto describe(const Body& body) -> decltype(body()) {
    const auto& chunk = chunks_[number_];
    return within(body, "chunk of bytes {} to {} (at {} of the blob)", chunk.file_offset,
                  chunk.file_offset + chunk.size, chunk.blob_offset);
  }

  void verify() {
    const auto found = "sha256:" + hash_.hex();
    if (const auto wanted = chunks_[number_].digest(); found != wanted)
      throw Error("it has the digest {}, not {}", found, wanted);
  }

  std::vector<LayerChunk> chunks_;
  Compression compression_;
  BlobWindow window_;
  std::unique_ptr<Source> plain_; ///< Of the member that begins at `member_`.
  std::uint64_t member_ = 0;
  std::uint64_t member_at_ = 0;
  std::size_t number_ = 0;
  std::uint64_t left_ = 0; ///< Of the chunk.
  Sha256 hash_;
};

/// The chunks of one file in a stream of several.
class FileOfChunks final : public Source {
public:
  FileOfChunks(ChunkStream& stream, std::size_t first, std::size_t count, std::string name)
      : stream_(stream), next_(first), end_(first + count), name_(std::move(name)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (buffer.empty())
      return 0;
    return within(
        [&] {
          for (;;) {
            if (const auto count = is_open_ ? stream_.read(buffer) : 0; count != 0)
              return count;
            if (next_ == end_)
              return std::size_t{0};
            stream_.begin(next_++);
            is_open_ = true;
          }
        },
        "{}", name_);
  }

private:
  ChunkStream& stream_;
  std::size_t next_;
  std::size_t end_;
  bool is_open_ = false;
  std::string name_;
};

/// A file with all that it is read by.
class SingleFile final : public Source {
public:
  SingleFile(std::shared_ptr<const LayerTable> table, std::uint32_t position, RangeOpener open,
             std::uint64_t gap, std::string name)
      : table_(std::move(table)), open_(std::move(open)),
        stream_({table_->chunks_of(position).begin(), table_->chunks_of(position).end()},
                table_->compression, open_, gap),
        file_(stream_, 0, table_->chunks_of(position).size(), std::move(name)) {}
  SingleFile(const SingleFile&) = delete;
  SingleFile& operator=(const SingleFile&) = delete;

  std::size_t read(std::span<std::byte> buffer) override { return file_.read(buffer); }

private:
  std::shared_ptr<const LayerTable> table_;
  RangeOpener open_;
  ChunkStream stream_;
  FileOfChunks file_;
};

} // namespace

std::unique_ptr<Source> ChunkReader::open(std::uint32_t position) const {
  return std::make_unique<SingleFile>(table_, position, open_, gap_, name_of(position));
}

std::string ChunkReader::name_of(std::uint32_t position) const {
  return fmt::format("{}: '{}'", place_, table_->index.entries.at(position).path.str());
}

void ChunkReader::read(const std::set<std::uint32_t>& positions, const Visitor& visit) const {
  std::vector<std::uint32_t> order(positions.begin(), positions.end());
  const auto place = [&](std::uint32_t position) {
    const auto chunks = table_->chunks_of(position);
    return chunks.empty() ? std::tuple(std::uint64_t{0}, std::uint64_t{0})
                          : std::tuple(chunks.front().blob_offset, chunks.front().inner_offset);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return place(a) < place(b); });
  std::vector<LayerChunk> chunks;
  for (const auto position : order) {
    const auto more = table_->chunks_of(position);
    chunks.insert(chunks.end(), more.begin(), more.end());
  }
  ChunkStream stream(std::move(chunks), table_->compression, open_, gap_);
  std::size_t first = 0;
  for (const auto position : order) {
    const auto count = table_->chunks_of(position).size();
    FileOfChunks file(stream, first, count, name_of(position));
    visit(position, file);
    first += count;
  }
}

} // namespace cairn
