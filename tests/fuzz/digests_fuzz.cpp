#include "builder/store/context_digests.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace cairn;

// What can be read is written in the same way again; what cannot is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  TextSource source(bytes);
  try {
    ContextDigests digests(source);
    TextSink sink;
    digests.write(sink);
    if (sink.text() != bytes)
      __builtin_trap();
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
  }
  return 0;
}
