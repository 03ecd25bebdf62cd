#pragma once

#include "apps/shared/flags.hpp"

#include <span>
#include <string>

namespace cairn {

/// The listed flags below the headings of their groups, in the order of the table, with defaults.
std::string flag_help(std::span<const FlagSpec> specs);

/// What `version` prints, whatever name the program was started by.
std::string version_text();

/// Prints a text and ends.
struct TextCommand {
  std::string text;
};

} // namespace cairn
