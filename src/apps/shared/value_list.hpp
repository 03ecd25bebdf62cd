#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The values in a text that a pipeline gives for a list: the strings of a JSON array, or else one
/// on each line. Empty ones are left out.
std::vector<std::string> value_list(std::string_view text);

/// Whether value_list() reads `text` as anything but one value.
bool is_value_list(std::string_view text);

} // namespace cairn
