#pragma once

#include <string>
#include <string_view>

namespace cairn {

/// A URL as it may be shown: no user name or password, and of the query only the values that are
/// known to be harmless ("digest", "mount", "from", "scope", "service", "n", …); others become
/// "***". Text that is no URL becomes "<url>".
std::string redact_url(std::string_view url);

/// Text that people or servers wrote, without the users and passwords of the URLs in it:
/// "git clone https://***@host/x". Of ssh a user alone ("git@") is no secret.
std::string redact_text(std::string_view text);

} // namespace cairn
