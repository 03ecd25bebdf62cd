#include "fs/archive/entry_name.hpp"

#include "util/error.hpp"

#include <algorithm>

namespace cairn {

namespace {

void check_strict(std::string_view name) {
  if (name.empty())
    throw Error("entry has no name");
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..")
      throw Error("name '{}' holds '..'", name);
    at = end + 1;
  }
}

} // namespace

RootedPath parse_entry_name(std::string_view name, std::size_t limit, TarNames names) {
  if (name.size() > limit)
    throw Error("name is longer than {} bytes", limit);
  if (names == TarNames::strict)
    check_strict(name);
  return RootedPath::parse(name);
}

} // namespace cairn
