#pragma once

#include "dockerfile/lint/linter.hpp"
#include "dockerfile/syntax/parser.hpp"

#include <vector>

namespace cairn {

/// Empty lines in continuations, of all instructions.
void lint_continuations(const std::vector<SyntaxNode>& nodes, Linter& linter);

/// What the spelling of one instruction tells, understood or not.
void lint_node(const SyntaxNode& node, Linter& linter);

} // namespace cairn
