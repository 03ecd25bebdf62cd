#pragma once

#include <string_view>

namespace cairn {

/// Cuts the first component off a path of any form; "" at its end.
inline std::string_view pop_component(std::string_view& path) {
  while (path.starts_with('/'))
    path.remove_prefix(1);
  const auto part = path.substr(0, path.find('/'));
  path.remove_prefix(part.size());
  return part;
}

} // namespace cairn
