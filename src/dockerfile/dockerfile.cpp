#include "dockerfile/dockerfile.hpp"

#include "dockerfile/lint/lint_stages.hpp"
#include "dockerfile/lint/lint_syntax.hpp"
#include "dockerfile/syntax/parse_instruction.hpp"
#include "dockerfile/syntax/parser.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

namespace {

Instruction parse_in(const SourceFile& source, const SyntaxNode& node) {
  try {
    return parse_instruction(node);
  } catch (Error& error) {
    add_place(error, source, node.range);
    throw;
  }
}

void add(Dockerfile& file, Instruction instruction) {
  if (auto* from = std::get_if<instruction::From>(&instruction)) {
    file.stages.push_back({std::move(*from), {}});
    return;
  }
  if (!file.stages.empty()) {
    file.stages.back().instructions.push_back(std::move(instruction));
    return;
  }
  auto* arg = std::get_if<instruction::Arg>(&instruction);
  if (arg == nullptr)
    throw error_at(file.source, common(instruction).range,
                   fmt::format("{}: must come after FROM", instruction_name(instruction)));
  file.global_args.push_back(std::move(*arg));
}

} // namespace

Dockerfile parse_dockerfile(std::string text, std::string file_name) {
  Linter unheard;
  return parse_dockerfile(std::move(text), std::move(file_name), unheard);
}

Dockerfile parse_dockerfile(std::string text, std::string file_name, Linter& linter) {
  auto tree = parse_syntax(std::move(text), std::move(file_name));
  Dockerfile file;
  file.source = std::move(tree.source);
  file.directives = std::move(tree.directives);
  linter.read(file.directives, file.source);
  lint_continuations(tree.nodes, linter);
  for (const auto& node : tree.nodes) {
    lint_node(node, linter);
    add(file, parse_in(file.source, node));
  }
  if (file.stages.empty())
    throw Error("{}: the file has no FROM", file.source.name);
  lint_stages(file, linter);
  return file;
}

Instruction parse_trigger(std::string text, std::string origin) {
  const auto tree = parse_syntax(std::move(text), std::move(origin));
  if (tree.nodes.size() != 1)
    throw error_at(tree.source, tree.nodes[1].range, "a trigger must be a single instruction");
  auto instruction = parse_in(tree.source, tree.nodes[0]);
  if (std::holds_alternative<instruction::From>(instruction) ||
      std::holds_alternative<instruction::Maintainer>(instruction) ||
      std::holds_alternative<instruction::Onbuild>(instruction))
    throw error_at(tree.source, tree.nodes[0].range,
                   fmt::format("{} cannot be a trigger", instruction_name(instruction)));
  return instruction;
}

} // namespace cairn
