#pragma once

#include "builder/options/build_options.hpp"
#include "util/progress.hpp"

#include <string_view>
#include <vector>

namespace cairn {

/// Tells about the frontend that a build file asks for, by `# syntax=` or by the build argument
/// BUILDKIT_SYNTAX, which Cairn does not run: a line of the log when it is one of Docker's for
/// Dockerfiles, whose language Cairn knows itself, and a warning for any other.
void report_frontend(std::string_view text, std::string_view file_name,
                     const std::vector<NameValue>& build_args, Progress& progress);

} // namespace cairn
