#pragma once

#include "builder/options/build_options.hpp"

#include <string>

namespace cairn {

/// `options` with every path that results are written to, and every named one, made absolute, seen
/// from `directory`: the build may take the current directory away. Paths that are empty stay so.
BuildOptions anchor_paths(BuildOptions options, const std::string& directory);

} // namespace cairn
