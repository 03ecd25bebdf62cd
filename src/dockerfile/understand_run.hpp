#pragma once

#include "dockerfile/instruction.hpp"
#include "dockerfile/parser.hpp"

namespace cairn {

/// What RUN, CMD and ENTRYPOINT run.
instruction::CommandForm command_form(const SyntaxNode& node);

/// @throws Error without a place
Instruction understand_run(const SyntaxNode& node, instruction::Common common);

} // namespace cairn
