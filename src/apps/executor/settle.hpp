#pragma once

#include "apps/executor/flag_table.hpp"

namespace cairn {

/// Adds what variables say to what the flags said and checks what no flag can check alone.
/// @throws Error naming the flag or variable
BuildCommand settle(ExecutorDraft draft, const ProcessEnvironment& environment);

} // namespace cairn
