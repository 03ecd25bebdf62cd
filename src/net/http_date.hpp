#pragma once

#include "util/clock.hpp"

#include <optional>
#include <string_view>

namespace cairn {

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form of a date that servers may still send (RFC 9110
/// 5.6.7). Nothing when it is none, or outside 1678 to 2261.
std::optional<Time> parse_http_date(std::string_view text);

} // namespace cairn
