#pragma once

#include <string>
#include <string_view>

namespace cairn {

/// A URL as it may be shown: no user name or password, and of the query only the values that are
/// known to be harmless ("digest", "mount", "from", "scope", "service", "n", …); others become
/// "***". Text that is no URL becomes "<url>".
std::string redact_url(std::string_view url);

} // namespace cairn
