#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/flags.hpp"
#include "builder/options/build_options.hpp"

#include <string_view>
#include <vector>

namespace cairn {

/// Every path of this machine that the flags and variables of a build name, as they were given:
/// relative ones too, and those where nothing is.
std::vector<NamedPath> named_paths(const std::vector<FlagUse>& uses,
                                   const ProcessEnvironment& environment);

/// Whether named_paths() knows what values of this flag say of paths.
bool names_paths(std::string_view flag);

} // namespace cairn
