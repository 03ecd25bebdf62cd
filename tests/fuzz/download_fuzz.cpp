#include "context/download/url_source.hpp"
#include "net/content_disposition.hpp"
#include "net/http_date.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

// What servers say of a file, and the URLs it comes from. The first byte chooses which.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 3 == 0) {
      // A name leads out of no directory.
      const auto name = suggested_file_name(text);
      if (name && name->find('/') != std::string::npos)
        std::abort();
    } else if (data[0] % 3 == 1) {
      static_cast<void>(parse_http_date(text));
    } else {
      const auto name = UrlSource::parse(text).file_name();
      if (!name.empty() && !is_file_name(name))
        std::abort();
    }
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
