#include "dockerfile/dockerfile.hpp"
#include "dockerfile/syntax/parser.hpp"
#include "parts.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <optional>

namespace cairn::test {

namespace {

Json heredoc_json(const Heredoc& heredoc) {
  auto json = Json::object();
  json.set("chomp", heredoc.chomp)
      .set("content", heredoc.content)
      .set("expand", heredoc.expand)
      .set("fd", static_cast<std::int64_t>(heredoc.file_descriptor))
      .set("name", heredoc.name);
  return json;
}

/// A node in the shape of cases.jsonl.
Json node_json(const SyntaxNode& node, SourceRange range) {
  auto json = Json::object();
  if (!node.arguments.empty())
    json.set("args", Json::strings(node.arguments));
  if (!node.children.empty()) {
    auto wrapper = Json::object();
    Json children;
    children.push(node_json(node.children[0], {}));
    wrapper.set("children", children).set("end", 0).set("start", 0).set("value", "");
    Json args;
    args.push(wrapper);
    json.set("args", args);
  }
  if (node.json)
    json.set("attributes", Json::object().set("json", true));
  json.set("end", range.last);
  if (!node.flags.empty())
    json.set("flags", Json::strings(node.flags));
  Json heredocs;
  for (const auto& heredoc : node.heredocs)
    heredocs.push(heredoc_json(heredoc));
  if (!node.heredocs.empty())
    json.set("heredocs", heredocs);
  json.set("original", node.text);
  if (!node.comments.empty())
    json.set("prev_comment", Json::strings(node.comments));
  json.set("start", range.first).set("value", node.command);
  return json;
}

std::string nodes_json(const SyntaxTree& tree) {
  Json nodes;
  for (const auto& node : tree.nodes)
    nodes.push(node_json(node, node.range));
  return nodes.compact();
}

/// The N of "dockerfile parse error on line N: ...", or nothing.
std::optional<std::string> line_named_in(const std::string& message) {
  constexpr std::string_view mark = "on line ";
  const auto at = message.find(mark);
  if (at == std::string::npos)
    return std::nullopt;
  const auto rest = message.substr(at + mark.size());
  return rest.substr(0, rest.find(':'));
}

Verdict check_instructions(const Json& row) {
  const auto wanted = row.string_or("instruction_error", "");
  const auto error =
      message_of([&] { (void)parse_dockerfile(row.string_or("dockerfile", ""), "Dockerfile"); });
  if (wanted.empty() && !error.empty())
    return Verdict::differs("expected no error, found " + error);
  if (!wanted.empty() && error.empty())
    return Verdict::differs("expected the error " + wanted);
  const auto line = line_named_in(wanted);
  if (line && !error.starts_with("Dockerfile:" + *line + ": "))
    return Verdict::differs("expected an error of line " + *line + ", found " + error);
  return {};
}

std::vector<std::string> lines_of(const SyntaxTree& tree) {
  std::vector<std::string> lines;
  for (const auto& node : tree.nodes)
    if (node.empty_continuation > 0)
      lines.push_back(std::to_string(node.empty_continuation));
  return lines;
}

std::vector<std::string> lines_of(const Json* warnings) {
  std::vector<std::string> lines;
  if (warnings != nullptr)
    for (const auto& warning : warnings->as_array())
      lines.push_back(std::to_string(warning.int_or("line", 0)));
  return lines;
}

Verdict check_refused(const Json& row) {
  const auto parse = [&] { (void)parse_syntax(row.string_or("dockerfile", ""), "Dockerfile"); };
  return message_of(parse).empty() ? Verdict::differs("expected an error") : Verdict{};
}

Verdict check_case(const Json& row) {
  if (row.find("parse_error") != nullptr)
    return check_refused(row);
  if (row.find("nodes") == nullptr)
    return Verdict::skipped("the row has no tree");
  const auto tree = parse_syntax(row.string_or("dockerfile", ""), "Dockerfile");
  Comparison found;
  found.expect("dump", dump(tree), row.string_or("dump", ""));
  found.expect("nodes", nodes_json(tree), row.find("nodes")->compact());
  found.expect("escape", std::string(1, tree.directives.escape), row.string_or("escape", ""));
  found.expect("lines of warnings", lines_of(tree), lines_of(row.find("warnings")));
  const auto verdict = found.verdict();
  return verdict.kind == Verdict::Kind::same ? check_instructions(row) : verdict;
}

Verdict check_dump(const Json& row) {
  Comparison found;
  found.expect("dump", dump(parse_syntax(row.string_or("dockerfile", ""), "Dockerfile")),
               row.string_or("result", ""));
  return found.verdict();
}

/// What BuildKit's own test of this file expects.
Verdict check_lines(const Json& row) {
  std::vector<std::string> ranges;
  for (const auto& node : parse_syntax(row.string_or("dockerfile", ""), "Dockerfile").nodes)
    ranges.push_back(fmt::format("{}-{}", node.range.first, node.range.last));
  Comparison found;
  found.expect("lines", ranges, {"5-5", "11-12", "17-31"});
  return found.verdict();
}

} // namespace

std::vector<Part> parser_parts() {
  return {{"parser/cases.jsonl", read_lines, check_case},
          {"parser/testfiles", read_folders, check_dump},
          {"parser/testfiles-negative", read_folders, check_refused},
          {"parser/testfile-line/Dockerfile", read_dockerfile, check_lines}};
}

} // namespace cairn::test
