#pragma once

#include "apps/shared/environment.hpp"
#include "apps/warmer/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Reads the command line, without the program's name, and the variables that go with it
/// (docs/warmer.md). @throws Error naming the flag or variable
WarmerCommand parse_warmer(const std::vector<std::string>& arguments,
                           const ProcessEnvironment& environment);

/// The images of a list: one a line; what follows a "#" is a comment. `name` is for messages.
/// @throws Error with the line
std::vector<ImageRef> parse_image_list(std::string_view text, std::string_view name);

} // namespace cairn
