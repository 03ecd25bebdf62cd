#pragma once

#include "dockerfile/lint/linter.hpp"
#include "dockerfile/syntax/stages.hpp"

namespace cairn {

/// The rules about all stages of a file: their names, and one spelling for all instructions.
void lint_stages(const Dockerfile& dockerfile, Linter& linter);

} // namespace cairn
