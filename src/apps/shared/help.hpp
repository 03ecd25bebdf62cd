#pragma once

#include "apps/shared/flags.hpp"

#include <span>
#include <string>

namespace cairn {

/// The listed flags below the headings of their groups, in the order of the table, with defaults.
std::string flag_help(std::span<const FlagSpec> specs);

} // namespace cairn
