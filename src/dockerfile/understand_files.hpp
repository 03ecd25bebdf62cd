#pragma once

#include "dockerfile/instruction.hpp"
#include "dockerfile/parser.hpp"

namespace cairn {

/// @throws Error without a place
Instruction understand_copy(const SyntaxNode& node, instruction::Common common);
Instruction understand_add(const SyntaxNode& node, instruction::Common common);

} // namespace cairn
