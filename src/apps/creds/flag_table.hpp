#pragma once

#include "apps/creds/parsed_flags.hpp"
#include "apps/shared/flag_set.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// One of the program's commands and its flags.
struct CredsVerb {
  std::string_view name;
  std::string_view usage; ///< What follows the name.
  std::string_view help;  ///< One sentence.
  Flags<ParsedCredsFlags> flags;
};

/// inject, check, erase and print-env.
std::vector<CredsVerb> creds_verbs();

} // namespace cairn
