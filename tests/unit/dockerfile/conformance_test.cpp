#include "dockerfile/dockerfile.hpp"
#include "dockerfile/parser.hpp"
#include "support.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace cairn;
using namespace cairn::test;

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

/// BuildKit looks at the values of a mount when it builds the step; here they are looked at as
/// soon as they hold no variable.
bool refused_earlier(const Json& row) {
  return row.string_or("name", "") == "bk-mount-invalid-3";
}

void check_instructions(const Json& row) {
  const auto text = row.string_or("dockerfile", "");
  const auto wanted =
      row.string_or("instruction_error", refused_earlier(row) ? "on line 3: type=tmp" : "");
  const auto error = error_of([&] { (void)parse_dockerfile(text, "Dockerfile"); });
  CAPTURE(wanted);
  CAPTURE(error);
  CHECK(wanted.empty() == error.empty());
  if (const auto line = line_named_in(wanted))
    CHECK(error.starts_with("Dockerfile:" + *line + ": "));
}

void check_warnings(const SyntaxTree& tree, const Json& row) {
  std::vector<std::int64_t> lines;
  for (const auto& warning : tree.warnings)
    lines.push_back(warning.range.first);
  std::vector<std::int64_t> wanted;
  if (const auto* warnings = row.find("warnings"))
    for (const auto& warning : warnings->as_array())
      wanted.push_back(warning.int_or("line", 0));
  CHECK(lines == wanted);
}

void check_refused(const std::string& text) {
  CHECK_THROWS_AS(parse_syntax(text, "Dockerfile"), Error);
}

void check_case(const Json& row) {
  const auto text = row.string_or("dockerfile", "");
  if (const auto* error = row.find("parse_error"); error != nullptr) {
    check_refused(text);
    return;
  }
  if (row.find("nodes") == nullptr)
    return;
  const auto tree = parse_syntax(text, "Dockerfile");
  CHECK(dump(tree) == row.string_or("dump", ""));
  CHECK(nodes_json(tree) == row.find("nodes")->compact());
  CHECK(std::string(1, tree.directives.escape) == row.string_or("escape", ""));
  check_warnings(tree, row);
  check_instructions(row);
}

} // namespace

TEST_CASE("Dockerfiles parse to the tree that BuildKit's parser gives") {
  const auto path = conformance_path("parser/cases.jsonl");
  if (!path)
    return;
  for (const auto& row : read_rows(*path)) {
    const auto name = row.string_or("name", "");
    CAPTURE(name);
    check_case(row);
  }
}

TEST_CASE("BuildKit's own parser files give its results") {
  const auto path = conformance_path("parser/testfiles");
  if (!path)
    return;
  for (const auto& entry : std::filesystem::directory_iterator(*path)) {
    const auto folder = entry.path().string();
    CAPTURE(folder);
    const auto tree = parse_syntax(read_text(folder + "/Dockerfile"), "Dockerfile");
    CHECK(dump(tree) == trim_right(read_text(folder + "/result")));
  }
}

TEST_CASE("BuildKit's negative parser files are refused") {
  const auto path = conformance_path("parser/testfiles-negative");
  if (!path)
    return;
  for (const auto& entry : std::filesystem::directory_iterator(*path)) {
    const auto folder = entry.path().string();
    CAPTURE(folder);
    CHECK_THROWS_AS(parse_syntax(read_text(folder + "/Dockerfile"), "Dockerfile"), Error);
  }
}

TEST_CASE("instructions keep their lines across comments and continuations") {
  const auto path = conformance_path("parser/testfile-line/Dockerfile");
  if (!path)
    return;
  const auto tree = parse_syntax(read_text(*path), "Dockerfile");
  std::vector<std::pair<int, int>> ranges;
  for (const auto& node : tree.nodes)
    ranges.emplace_back(node.range.first, node.range.last);
  CHECK(ranges == std::vector<std::pair<int, int>>{{5, 5}, {11, 12}, {17, 31}});
}
