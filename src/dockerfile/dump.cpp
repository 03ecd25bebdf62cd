#include "dockerfile/syntax/parser.hpp"
#include "dockerfile/syntax/quote.hpp"
#include "util/text.hpp"

namespace cairn {

std::string dump(const SyntaxNode& node) {
  std::string out = "(" + to_lower(node.command);
  if (!node.flags.empty()) {
    std::vector<std::string> flags;
    for (const auto& flag : node.flags)
      flags.push_back(quoted(flag));
    out += " [" + join(flags, " ") + "]";
  }
  for (const auto& argument : node.arguments)
    out += " " + quoted(argument);
  for (const auto& child : node.children)
    out += " " + dump(child);
  return out + ")";
}

std::string dump(const SyntaxTree& tree) {
  std::string out;
  for (const auto& node : tree.nodes)
    out += (out.empty() ? "" : "\n") + dump(node);
  return out;
}

} // namespace cairn
