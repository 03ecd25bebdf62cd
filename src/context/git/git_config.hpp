#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// The lines of a file in git's configuration format, e.g. {"submodule.a.url", "../a"}. Includes
/// are not followed. @throws Error
std::vector<std::pair<std::string, std::string>> parse_git_config(const std::string& text);

} // namespace cairn
