#pragma once

#include "oci/reference.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// Where caches are kept for other machines: a repository of a registry, or "oci:PATH", a directory
/// that is an OCI image layout.
struct CacheLocation {
  std::string name;                  ///< As the user wrote it.
  std::optional<ImageRef> reference; ///< Nothing for a directory.
  std::string layout_path;

  /// @throws Error
  static CacheLocation parse(std::string_view text);
};

} // namespace cairn
