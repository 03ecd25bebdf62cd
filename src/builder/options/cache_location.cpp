#include "builder/options/cache_location.hpp"

#include "util/error.hpp"

namespace cairn {

CacheLocation CacheLocation::parse(std::string_view text) {
  constexpr std::string_view layout_prefix = "oci:";
  CacheLocation location;
  location.name = text;
  if (!text.starts_with(layout_prefix)) {
    location.reference = ImageRef::parse(text);
    return location;
  }
  location.layout_path = text.substr(layout_prefix.size());
  if (location.layout_path.empty())
    throw Error("'{}' names no directory", text);
  return location;
}

} // namespace cairn
