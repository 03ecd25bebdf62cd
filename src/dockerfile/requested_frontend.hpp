#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// The frontend image that a build file names for itself.
struct RequestedFrontend {
  std::string image; ///< As written, up to the first blank.
  int line = 0;      ///< 0 when the file is one JSON document.
};

/// Looks for `# syntax=image` among the directives at the top, for `// syntax=image`, and for the
/// member "syntax" of a JSON document, in this order. A first line that starts with "#!" does not
/// count. Never throws.
std::optional<RequestedFrontend> requested_frontend(std::string_view text);

} // namespace cairn
