#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// An absolute http or https URL (RFC 3986). Fragments are dropped.
struct Url {
  std::string scheme;   ///< "http" or "https"
  std::string userinfo; ///< As written, without "@".
  std::string host;     ///< Lowercase; an IPv6 address in brackets.
  std::string port;     ///< Empty: the scheme's own.
  std::string path;     ///< Starts with "/".
  std::string query;    ///< Without "?".

  /// @throws Error
  static Url parse(std::string_view text);
  static std::optional<Url> try_parse(std::string_view text);

  std::string str() const;
  std::string authority() const; ///< "host" or "host:port"
  std::string origin() const;    ///< "https://host:443", the port always there.
  /// Host without the brackets of IPv6.
  std::string_view address() const noexcept;

  /// Where `reference` (a Location header, say) leads from here (RFC 3986 section 5.2).
  /// @throws Error when it leads to no http or https URL
  Url resolve(std::string_view reference) const;
  /// Adds "name=value", percent-encoded.
  Url& add_query(std::string_view name, std::string_view value);
};

/// Everything but unreserved characters becomes %XX (RFC 3986 section 2.3).
std::string percent_encode(std::string_view text);
/// Nothing when a % is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

} // namespace cairn
