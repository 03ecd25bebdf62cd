#include "fs/tree/packed_index.hpp"
#include "fs/tree/tree.hpp"
#include "oci/digest.hpp"
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
    TextSink sink;
    write_index(layer, sink);
    TextSource again(sink.text());
    if (read_index(again).index.entries.size() != layer.index.entries.size())
      __builtin_trap();
    Tree().apply(layer.index);
  } catch (const Error&) {
    return;
  }
}

/// A zstd frame of one block that is not compressed (RFC 8878 3.1.1). Far faster than compressing.
std::string zstd_frame(std::string_view plain) {
  const auto bytes = [](std::uint64_t value, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += static_cast<char>(value >> (8 * i));
    return text;
  };
  return "\x28\xb5\x2f\xfd\xa0" + bytes(plain.size(), 4) + bytes(plain.size() << 3 | 1, 3) +
         std::string(plain);
}

/// With the beginning and the checksum that an index has, which chance does not find.
std::string signed_index(std::string_view body) {
  auto text = "cairn layer index 1\n" + std::string(body);
  return text + std::string(Digest::of(text).hex());
}

} // namespace

// What can be read is written in the same way again, up to numbers that take more bytes than they
// need; what cannot is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  take_packed(bytes);
  if (size < std::size_t{64} << 10)
    take_packed(zstd_frame(signed_index(bytes)));
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
