#pragma once

#include "apps/shared/environment.hpp"
#include "builder/options/build_options.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// --build-arg: without a value the variable of that name gives it.
using BuildArgFlag = std::pair<std::string, std::optional<std::string>>;

/// @throws Error when it is neither NAME nor NAME=value
BuildArgFlag parse_build_arg(std::string_view text);

/// With values for all.
std::vector<NameValue> resolve_build_args(const std::vector<BuildArgFlag>& flags,
                                          const ProcessEnvironment& environment);

} // namespace cairn
