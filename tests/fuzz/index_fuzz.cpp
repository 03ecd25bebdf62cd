#include "fs/archive/zstd.hpp"
#include "fs/tree/packed_index.hpp"
#include "fs/tree/tree.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace cairn;

namespace {

/// An index as others send it: what is taken for one of some layer can be a layer of a Tree, or is
/// refused there as that layer would be.
void take_packed(std::string_view bytes) {
  TextSource source(bytes);
  try {
    const auto layer = unpack_index(source);
    const auto packed = pack_index(layer);
    TextSource again(packed.bytes);
    if (unpack_index(again).index.entries.size() != layer.index.entries.size())
      __builtin_trap();
    Tree().apply(layer.index);
  } catch (const Error&) {
    return;
  }
}

std::string zstd_frame(std::string_view plain) {
  TextSink sink;
  const auto zstd = make_zstd_sink(sink, 1, 1);
  write_text(*zstd, plain);
  zstd->finish();
  return sink.text();
}

} // namespace

// What can be read is written in the same way again, up to numbers that take more bytes than they
// need; what cannot is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  take_packed(bytes);
  take_packed(zstd_frame(bytes));
  TextSource source(bytes);
  try {
    const auto layer = read_index(source);
    TextSink sink;
    write_index(layer, sink);
    TextSource again(sink.text());
    if (read_index(again).index.entries.size() != layer.index.entries.size())
      __builtin_trap();
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
  }
  return 0;
}
