#pragma once

#include "fs/ignore_pattern.hpp"

#include <string_view>
#include <vector>

namespace cairn {

/// Reads the part of Go's regular expressions that ignore patterns can turn into: characters,
/// escapes, classes, `*` behind one of them, and `(.*/)?`. The expression fits whole paths.
/// Unicode classes (`\pL`) and quoting (`\Q`) are refused.
/// @throws Error "syntax error in pattern"
std::vector<IgnorePattern::Item> parse_go_expression(std::string_view expression);

} // namespace cairn
