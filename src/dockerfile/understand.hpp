#pragma once

#include "dockerfile/instruction.hpp"
#include "dockerfile/parser.hpp"

namespace cairn {

/// The instruction that a node stands for: flags checked, arguments counted and named.
/// @throws Error without a place
Instruction understand(const SyntaxNode& node);

} // namespace cairn
