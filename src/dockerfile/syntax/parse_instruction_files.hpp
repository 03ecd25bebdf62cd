#pragma once

#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/parser.hpp"

namespace cairn {

/// @throws Error without a place
Instruction parse_copy(const SyntaxNode& node, instruction::Common common);
Instruction parse_add(const SyntaxNode& node, instruction::Common common);

} // namespace cairn
