#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

/// What is accepted must name the same image when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto ref = ImageRef::parse(text);
    if (ImageRef::parse(ref.str()).str() != ref.str())
      std::abort();
  } catch (const Error&) {
  }
  try {
    const auto platform = Platform::parse(text);
    if (Platform::parse(platform.str()).str() != platform.str())
      std::abort();
  } catch (const Error&) {
  }
  return 0;
}
