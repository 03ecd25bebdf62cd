// The one home of ISA-L.
#include "fs/archive/deflate.hpp"
#include "util/error.hpp"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>

namespace cairn {

namespace {

// ISA-L takes pointers to bytes it only reads as pointers to mutable ones.
std::uint8_t* isal_pointer(const std::byte* bytes) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes));
}

/// Levels 1 and 2 give the same bytes with SSE4.2, AVX2 and AVX-512, since all three run one
/// source with one hash function (igzip_icf_body_h1_gr_bt.asm). Level 3 picks another algorithm
/// for each, and is not used. The buffer of 32 Ki symbols bounds the size of a deflate block:
/// larger ones compressed worse.
class FastDeflate final : public DeflateCodec {
public:
  explicit FastDeflate(int level)
      : level_(level), symbols_(level == 1 ? ISAL_DEF_LVL1_MEDIUM : ISAL_DEF_LVL2_MEDIUM) {}

  void compress(std::span<const std::byte> window, std::span<const std::byte> block, End end,
                std::vector<std::byte>& out) override {
    isal_deflate_init(&stream_);
    stream_.level = static_cast<std::uint32_t>(level_);
    stream_.level_buf = symbols_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(symbols_.size());
    stream_.gzip_flag = IGZIP_DEFLATE;
    if (!window.empty())
      isal_deflate_set_dict(&stream_, isal_pointer(window.data()),
                            static_cast<std::uint32_t>(window.size()));
    stream_.next_in = isal_pointer(block.data());
    stream_.avail_in = static_cast<std::uint32_t>(block.size());
    stream_.end_of_stream = end == End::last ? 1 : 0;
    stream_.flush = end == End::last ? NO_FLUSH : SYNC_FLUSH;

    auto filled = out.size();
    do {
      // Stored blocks bound the growth of what does not compress.
      out.resize(filled + stream_.avail_in + stream_.avail_in / 8 + 1024);
      const auto room = out.size() - filled;
      stream_.next_out = isal_pointer(out.data()) + filled;
      stream_.avail_out = static_cast<std::uint32_t>(room);
      if (const int result = isal_deflate(&stream_); result != COMP_OK)
        throw Error("compress with gzip: error {}", result);
      filled += room - stream_.avail_out;
    } while (stream_.avail_out == 0);
    out.resize(filled);
  }

private:
  int level_;
  std::vector<std::uint8_t> symbols_;
  isal_zstream stream_{};
};

class Gunzip final : public Source {
public:
  explicit Gunzip(Source& from) : from_(from), input_(stream_block) {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&header_);
  }

  std::size_t read(std::span<std::byte> buffer) override {
    state_.next_out = isal_pointer(buffer.data());
    state_.avail_out = static_cast<std::uint32_t>(std::min(buffer.size(), max_output));
    const auto room = state_.avail_out;
    while (state_.avail_out == room && place_ != Place::end) {
      switch (place_) {
      case Place::before_member:
        start_member();
        break;
      case Place::header:
        read_header();
        break;
      case Place::data:
        inflate();
        break;
      case Place::end:
        break;
      }
    }
    return room - state_.avail_out;
  }

private:
  enum class Place { before_member, header, data, end };
  static constexpr std::size_t max_output = std::size_t{1} << 30;

  /// False at the end of the input.
  bool refill() {
    if (state_.avail_in != 0)
      return true;
    const auto count = from_.read(input_);
    state_.next_in = isal_pointer(input_.data());
    state_.avail_in = static_cast<std::uint32_t>(count);
    return count != 0;
  }

  void refill_or_throw() {
    if (!refill())
      throw Error("gzip stream is truncated");
  }

  void start_member() {
    if (!refill()) {
      if (members_ == 0)
        throw Error("gzip stream is empty");
      place_ = Place::end;
      return;
    }
    // Both calls leave the input pointers as they are.
    isal_inflate_reset(&state_);
    isal_gzip_header_init(&header_);
    place_ = Place::header;
  }

  void read_header() {
    refill_or_throw();
    const int result = isal_read_gzip_header(&state_, &header_);
    if (result == ISAL_DECOMP_OK)
      place_ = Place::data;
    else if (result < 0 && members_ == 0)
      throw Error("gzip stream has no valid header");
    else if (result < 0)
      throw Error("gzip stream is followed by something else");
  }

  void inflate() {
    // Output may be held back inside, so that the next call needs no input to go on.
    const bool more = refill();
    const auto before = state_.avail_out;
    const int result = isal_inflate(&state_);
    if (result == ISAL_INCORRECT_CHECKSUM)
      throw Error("gzip stream is damaged: its checksum differs");
    if (result < 0)
      throw Error("gzip stream is damaged");
    if (state_.block_state == ISAL_BLOCK_FINISH) {
      ++members_;
      place_ = Place::before_member;
    } else if (!more && state_.avail_out == before) {
      throw Error("gzip stream is truncated");
    }
  }

  Source& from_;
  std::vector<std::byte> input_;
  inflate_state state_{};
  isal_gzip_header header_{};
  Place place_ = Place::before_member;
  std::uint64_t members_ = 0;
};

} // namespace

std::unique_ptr<DeflateCodec> make_fast_deflate(int level) {
  return std::make_unique<FastDeflate>(level);
}

std::uint32_t gzip_crc(std::uint32_t crc, std::span<const std::byte> bytes) {
  return crc32_gzip_refl(crc, isal_pointer(bytes.data()), bytes.size());
}

std::unique_ptr<Source> make_gunzip(Source& from) {
  return std::make_unique<Gunzip>(from);
}

} // namespace cairn
