#pragma once

#include "apps/executor/command.hpp"
#include "apps/shared/environment.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Reads the command line, without the program's name, and the variables that go with it
/// (docs/flags.md). Reads the files that --registry-certificate and --registry-client-cert name.
/// @throws Error naming the flag or variable
ExecutorCommand parse_executor(const std::vector<std::string>& arguments,
                               const ProcessEnvironment& environment);

} // namespace cairn
