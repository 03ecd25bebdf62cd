#pragma once

#include <string>
#include <string_view>

namespace cairn {

/// A string as BuildKit shows it in histories and messages: in double quotes, with the escapes of
/// Go (strconv.Quote). Bytes that are not UTF-8 become \x escapes.
std::string quoted(std::string_view text);

} // namespace cairn
