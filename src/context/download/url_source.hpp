#pragma once

#include "oci/digest.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// Whether ADD, a context or a Dockerfile of that name is downloaded: "http://" or "https://", and
/// no git repository, which a path that ends in ".git" is.
bool is_url(std::string_view text);

/// A file on a web server.
struct UrlSource {
  std::string url;                ///< http or https, in characters that a request may hold.
  std::optional<Digest> checksum; ///< What its bytes have to add up to.

  /// Blanks and characters outside ASCII are encoded, as browsers do. @throws Error
  static UrlSource parse(std::string_view text);

  /// The last component of the URL's path, decoded; "" when that can be no file's name.
  std::string file_name() const;

  // clang-tidy 14 takes the zero of a defaulted comparison for a pointer.
  auto operator<=>(const UrlSource&) const = default; // NOLINT(modernize-use-nullptr)
};

} // namespace cairn
