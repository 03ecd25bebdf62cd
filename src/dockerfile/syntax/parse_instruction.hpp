#pragma once

#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/parser.hpp"

namespace cairn {

/// The instruction that a node stands for: flags checked, arguments counted and named.
/// @throws Error without a place
Instruction parse_instruction(const SyntaxNode& node);

} // namespace cairn
