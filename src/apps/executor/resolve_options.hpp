#pragma once

#include "apps/executor/parsed_flags.hpp"
#include "apps/shared/flag_set.hpp"

namespace cairn {

/// Adds what variables say to what the flags said and checks what no flag can check alone.
/// @throws Error naming the flag or variable
BuildCommand resolve_options(ParsedExecutorFlags given, const ProcessEnvironment& environment);

} // namespace cairn
