#include "fs/tree/layer_index.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace cairn;

// What can be read is written in the same way again, up to numbers that take more bytes than they
// need; what cannot is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TextSource source(std::string_view(reinterpret_cast<const char*>(data), size));
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
