#include "net/address_scope.hpp"
#include "net/redact.hpp"
#include "net/response_head.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

namespace {

void take_head(std::string_view text) {
  ResponseHead head;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    static_cast<void>(head.take(text.substr(0, end + 1)));
    text.remove_prefix(end + 1);
  }
}

} // namespace

// What servers answer, and the addresses and texts in it. The first byte chooses which.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 3 == 0) {
      take_head(text);
    } else if (data[0] % 3 == 1) {
      static_cast<void>(address_scope(text));
    } else {
      // Nothing is left to hide in what is shown.
      const auto shown = redact_text(text);
      if (redact_text(shown) != shown)
        std::abort();
    }
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
