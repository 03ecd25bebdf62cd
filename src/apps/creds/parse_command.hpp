#pragma once

#include "apps/creds/command.hpp"
#include "apps/shared/environment.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Reads the command line, without the program's name, and the variables that go with it
/// (docs/credentials.md). Reads the files, variables and stdin that passwords are taken from.
/// @throws Error naming the flag or variable
CredsCommand parse_creds(const std::vector<std::string>& arguments,
                         const ProcessEnvironment& environment);

} // namespace cairn
