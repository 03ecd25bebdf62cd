#pragma once

#include "util/json.hpp"

#include <string>
#include <string_view>

namespace cairn {

/// What a binary runs on, in Go's names (OCI image index, platform).
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;    ///< "v7" for arm; empty where there is none.
  std::string os_version; ///< Windows alone.

  /// "os/arch[/variant]", "os" or "arch" alone; names are normalised as containerd does
  /// (x86_64 -> amd64, aarch64 -> arm64, arm -> arm/v7). @throws Error
  static Platform parse(std::string_view text);
  /// The machine this runs on.
  static Platform host();
  static Platform from_json(const Json& json);
  Json to_json() const;

  std::string str() const;
  /// True when an image for `other` can be used where this platform is wanted.
  bool accepts(const Platform& other) const;

  bool operator==(const Platform&) const = default;
};

} // namespace cairn
