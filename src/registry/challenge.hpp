#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1).
struct Challenge {
  std::string scheme;                            ///< Lowercase: "bearer", "basic".
  std::map<std::string, std::string> parameters; ///< Names lowercase, the first of each counts.

  std::string get(const std::string& name) const;
  bool operator==(const Challenge&) const = default;
};

/// Every challenge of one header value. What cannot be read ends the list.
std::vector<Challenge> parse_challenges(std::string_view header);

} // namespace cairn
