// The one home of zstd.
#include "fs/archive/zstd.hpp"

#include "util/error.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <vector>

namespace cairn {

namespace {

// Smaller jobs than the library would choose: they bound memory and let short layers use all
// threads, for 0.8 % of size.
constexpr int job_size = 2 << 20;

class ZstdSink final : public Sink {
public:
  ZstdSink(Sink& to, int level, std::size_t threads)
      : to_(to), context_(ZSTD_createCCtx()), output_(ZSTD_CStreamOutSize()) {
    if (!context_)
      throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_checksumFlag, 1);
    // With any number of workers from one the result is the same; without, it is another one. A
    // library that was compiled without threads (Debian's archive is) knows neither parameter.
    has_workers_ = !ZSTD_isError(
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, static_cast<int>(threads)));
    if (has_workers_)
      set(ZSTD_c_jobSize, job_size);
  }

  void write(std::span<const std::byte> bytes) override {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    while (input.pos < input.size)
      step(input, ZSTD_e_continue);
  }

  void finish() override {
    ZSTD_inBuffer input{nullptr, 0, 0};
    while (step(input, ZSTD_e_end) != 0) {
    }
  }

private:
  void set(ZSTD_cParameter parameter, int value) {
    const auto result = ZSTD_CCtx_setParameter(context_.get(), parameter, value);
    if (ZSTD_isError(result))
      throw Error("compress with zstd: {}", ZSTD_getErrorName(result));
  }

  std::size_t step(ZSTD_inBuffer& input, ZSTD_EndDirective directive) {
    ZSTD_outBuffer output{output_.data(), output_.size(), 0};
    auto left = ZSTD_compressStream2(context_.get(), &output, &input, directive);
    if (has_workers_ && !begun_ && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) {
      // It begins all its workers or none, which is said like this.
      set(ZSTD_c_nbWorkers, 1);
      left = ZSTD_compressStream2(context_.get(), &output, &input, directive);
    }
    begun_ = true;
    if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
      throw Error("compress with zstd: there is no memory or no thread for it");
    if (ZSTD_isError(left))
      throw Error("compress with zstd: {}", ZSTD_getErrorName(left));
    if (output.pos != 0)
      to_.write(std::span(output_).first(output.pos));
    return left;
  }

  Sink& to_;
  bool has_workers_ = false;
  bool begun_ = false;
  std::unique_ptr<ZSTD_CCtx, decltype([](ZSTD_CCtx* c) { ZSTD_freeCCtx(c); })> context_;
  std::vector<std::byte> output_;
};

class Unzstd final : public Source {
public:
  explicit Unzstd(Source& from)
      : from_(from), context_(ZSTD_createDCtx()), buffer_(ZSTD_DStreamInSize()) {
    if (!context_)
      throw std::bad_alloc();
  }

  std::size_t read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    while (output.pos == 0 && output.size != 0) {
      const bool more = refill();
      if (!more && frame_complete_)
        break;
      const auto result = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(result))
        throw Error("zstd stream is damaged: {}", ZSTD_getErrorName(result));
      frame_complete_ = result == 0;
      if (!more && output.pos == 0 && !frame_complete_)
        throw Error("zstd stream is truncated");
    }
    return output.pos;
  }

private:
  bool refill() {
    if (input_.pos < input_.size)
      return true;
    const auto count = from_.read(buffer_);
    input_ = {buffer_.data(), count, 0};
    if (count == 0 && !begun_)
      throw Error("zstd stream is empty");
    begun_ = true;
    return count != 0;
  }

  Source& from_;
  std::unique_ptr<ZSTD_DCtx, decltype([](ZSTD_DCtx* c) { ZSTD_freeDCtx(c); })> context_;
  std::vector<std::byte> buffer_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool begun_ = false;
  bool frame_complete_ = false;
};

} // namespace

std::unique_ptr<Sink> make_zstd_sink(Sink& to, int level, std::size_t threads) {
  return std::make_unique<ZstdSink>(to, level, threads);
}

std::unique_ptr<Source> make_unzstd(Source& from) {
  return std::make_unique<Unzstd>(from);
}

} // namespace cairn
