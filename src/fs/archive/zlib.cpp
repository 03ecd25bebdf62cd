// The one home of zlib, for those who ask for its levels.
#include "fs/archive/deflate.hpp"
#include "util/error.hpp"

#include <zlib.h>

#include <new>

namespace cairn {

namespace {

class SmallDeflate final : public DeflateCodec {
public:
  explicit SmallDeflate(int level) {
    // Negative window bits: no zlib header around the deflate stream.
    if (deflateInit2(&stream_, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  SmallDeflate(const SmallDeflate&) = delete;
  SmallDeflate& operator=(const SmallDeflate&) = delete;
  ~SmallDeflate() override { deflateEnd(&stream_); }

  void compress(std::span<const std::byte> window, std::span<const std::byte> block, End end,
                std::vector<std::byte>& out) override {
    deflateReset(&stream_);
    if (!window.empty())
      deflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(window.data()),
                           static_cast<uInt>(window.size()));
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(block.data()));
    stream_.avail_in = static_cast<uInt>(block.size());

    auto filled = out.size();
    do {
      out.resize(filled + deflateBound(&stream_, stream_.avail_in) + 16);
      const auto room = out.size() - filled;
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_.avail_out = static_cast<uInt>(room);
      if (deflate(&stream_, end == End::last ? Z_FINISH : Z_SYNC_FLUSH) == Z_STREAM_ERROR)
        throw Error("compress with gzip: stream error");
      filled += room - stream_.avail_out;
    } while (stream_.avail_out == 0);
    out.resize(filled);
  }

private:
  z_stream stream_{};
};

} // namespace

std::unique_ptr<DeflateCodec> make_small_deflate(int level) {
  return std::make_unique<SmallDeflate>(level);
}

} // namespace cairn
