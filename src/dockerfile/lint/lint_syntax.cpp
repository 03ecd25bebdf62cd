#include "dockerfile/lint/lint_syntax.hpp"

#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace cairn {

namespace {

void lint_from_casing(const SyntaxNode& node, Linter& linter) {
  if (node.arguments.size() < 3)
    return;
  const auto& name = node.arguments[2];
  if (name != to_lower(name))
    linter.report(LintRule::stage_name_casing, node.range, node.comments,
                  fmt::format("Stage name '{}' should be lowercase", name));
  const bool lower = node.command == to_lower(node.command);
  const bool upper = node.command == to_upper(node.command);
  const auto& as = node.arguments[1];
  // A FROM of mixed case is a matter of ConsistentInstructionCasing.
  if ((lower && as != to_lower(as)) || (!lower && upper && as != to_upper(as)))
    linter.report(LintRule::from_as_casing, node.range, node.comments,
                  fmt::format("'{}' and '{}' keywords' casing do not match", as, node.command));
}

/// The last comment above is a description when it begins with one of the names.
void lint_description(const SyntaxNode& node, const std::vector<std::string>& names,
                      Linter& linter) {
  const auto comment = std::find_if_not(node.comments.rbegin(), node.comments.rend(),
                                        [](const auto& text) { return is_check_comment(text); });
  if (comment == node.comments.rend() || names.empty())
    return;
  const auto word = comment->substr(0, comment->find(' '));
  if (std::find(names.begin(), names.end(), word) != names.end())
    return;
  linter.report(LintRule::invalid_definition_description, node.range, node.comments,
                fmt::format("Comment for {} should follow the format: `# {} <description>`",
                            to_upper(node.command), names.size() > 1 ? "<arg_key>" : names[0]));
}

std::vector<std::string> argument_names(const SyntaxNode& node) {
  std::vector<std::string> names;
  for (const auto& argument : node.arguments)
    names.push_back(argument.substr(0, argument.find('=')));
  return names;
}

} // namespace

void lint_continuations(const std::vector<SyntaxNode>& nodes, Linter& linter) {
  for (const auto& node : nodes)
    if (const int line = node.empty_continuation; line > 0)
      linter.report(LintRule::no_empty_continuation, {line, line}, node.comments,
                    "Empty continuation line");
}

void lint_node(const SyntaxNode& node, Linter& linter) {
  const auto command = to_lower(node.command);
  if (command == "maintainer") {
    linter.report(LintRule::maintainer_deprecated, node.range, node.comments,
                  "Maintainer instruction is deprecated in favor of using label");
  } else if (command == "from") {
    lint_from_casing(node, linter);
    if (node.arguments.size() == 3)
      lint_description(node, {to_lower(node.arguments[2])}, linter);
  } else if (command == "arg") {
    lint_description(node, argument_names(node), linter);
  }
}

} // namespace cairn
