#pragma once

#include "dockerfile/syntax/heredoc.hpp"
#include "dockerfile/syntax/lines.hpp"
#include "dockerfile/syntax/source.hpp"

#include <string>
#include <vector>

namespace cairn {

/// One instruction, split but not understood.
struct SyntaxNode {
  std::string command; ///< As written; may be none that is known.
  std::vector<std::string> flags;
  std::vector<std::string> arguments; ///< ENV, LABEL: name, value, "=" or "" for each pair.
  bool json = false;                  ///< The arguments were written as a JSON array.
  std::string text;                   ///< The logical line.
  std::vector<Heredoc> heredocs;
  std::vector<std::string> comments;
  SourceRange range;
  int empty_continuation =
      0; ///< The last of its lines when there are empty ones among them, else 0.
  std::vector<SyntaxNode> children; ///< The instruction behind ONBUILD.
};

struct SyntaxTree {
  SourceFile source;
  Directives directives;
  std::vector<SyntaxNode> nodes; ///< At least one.
};

/// @throws Error "Dockerfile:12: ..." with an excerpt
SyntaxTree parse_syntax(std::string text, std::string file_name);

/// The tree as S-expressions, one line for each instruction: the form of the frontend's own
/// parser tests.
std::string dump(const SyntaxTree& tree);
std::string dump(const SyntaxNode& node);

} // namespace cairn
