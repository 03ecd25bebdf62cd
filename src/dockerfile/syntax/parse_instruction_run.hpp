#pragma once

#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/parser.hpp"

namespace cairn {

/// What RUN, CMD and ENTRYPOINT run.
instruction::CommandForm command_form(const SyntaxNode& node);

/// @throws Error without a place
Instruction parse_run(const SyntaxNode& node, instruction::Common common);

} // namespace cairn
