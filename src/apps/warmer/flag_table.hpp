#pragma once

#include "apps/shared/build_args.hpp"
#include "apps/shared/flag_set.hpp"
#include "apps/warmer/command.hpp"

#include <vector>

namespace cairn {

/// A command as the flags alone describe it.
struct ParsedWarmerFlags {
  WarmCommand command;
  std::vector<BuildArgFlag> build_args;
  bool help = false;
};

/// Every flag of the warmer, in the order of its help.
Flags<ParsedWarmerFlags> warmer_flags();

} // namespace cairn
