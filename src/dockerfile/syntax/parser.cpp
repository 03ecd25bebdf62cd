#include "dockerfile/syntax/parser.hpp"

#include "dockerfile/syntax/arguments.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cairn {

namespace {

// ONBUILD ONBUILD is refused later; this only keeps hostile text from using up the stack.
constexpr int deepest_trigger = 8;

constexpr std::array<std::pair<std::string_view, ArgumentStyle>, 18> styles = {{
    {"add", ArgumentStyle::list},
    {"arg", ArgumentStyle::words},
    {"cmd", ArgumentStyle::command},
    {"copy", ArgumentStyle::list},
    {"entrypoint", ArgumentStyle::command},
    {"env", ArgumentStyle::pairs},
    {"expose", ArgumentStyle::blanks},
    {"from", ArgumentStyle::blanks},
    {"healthcheck", ArgumentStyle::typed_command},
    {"label", ArgumentStyle::pairs},
    {"maintainer", ArgumentStyle::text},
    {"onbuild", ArgumentStyle::sub_instruction},
    {"run", ArgumentStyle::command},
    {"shell", ArgumentStyle::command},
    {"stopsignal", ArgumentStyle::text},
    {"user", ArgumentStyle::text},
    {"volume", ArgumentStyle::list},
    {"workdir", ArgumentStyle::text},
}};

ArgumentStyle style_of(std::string_view command) {
  const auto found = std::find_if(styles.begin(), styles.end(), [&](const auto& entry) {
    return equals_ignoring_case(entry.first, command);
  });
  return found == styles.end() ? ArgumentStyle::none : found->second;
}

SyntaxNode parse_line(std::string_view line, char escape, int depth = 0) {
  if (depth > deepest_trigger)
    throw Error("ONBUILD cannot be a trigger of ONBUILD");
  auto parts = split_command(line, escape);
  SyntaxNode node;
  node.command = std::move(parts.command);
  node.flags = std::move(parts.flags);
  node.text = line;
  const auto style = style_of(node.command);
  if (style != ArgumentStyle::sub_instruction) {
    auto arguments = split_arguments(parts.rest, style, escape);
    node.arguments = std::move(arguments.values);
    node.json = arguments.json;
  } else if (!parts.rest.empty()) {
    node.children.push_back(parse_line(parts.rest, escape, depth + 1));
  }
  return node;
}

bool may_have_heredocs(const SyntaxNode& node) {
  const auto& inner = node.children.empty() ? node : node.children[0];
  const auto command = to_lower(inner.command);
  return !inner.json && (command == "run" || command == "copy" || command == "add");
}

/// Gives an error of `body` the place of the instruction it is about.
template<class Body>
auto placed(const SourceFile& source, SourceRange range, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    add_place(error, source, range);
    throw;
  }
}

/// Reads up to the terminator. Whether it was there.
bool read_body(DockerfileLines& lines, Heredoc& heredoc) {
  while (const auto raw = lines.next_raw()) {
    auto line = raw->substr(0, raw->find_last_not_of("\r\n") + 1);
    if (heredoc.chomp)
      line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == heredoc.name)
      return true;
    heredoc.content += *raw;
  }
  return false;
}

SyntaxNode parse_node(const SourceFile& source, DockerfileLines& lines, LogicalLine line) {
  auto node = placed(source, line.range, [&] {
    auto parsed = parse_line(line.text, lines.directives().escape);
    if (may_have_heredocs(parsed))
      parsed.heredocs = find_heredocs(line.text);
    return parsed;
  });
  node.comments = std::move(line.comments);
  node.empty_continuation = line.empty_continuation;
  for (auto& heredoc : node.heredocs)
    if (!read_body(lines, heredoc))
      throw with_hint(
          error_at(source, line.range,
                   fmt::format("the heredoc <<{} does not end", printable(heredoc.name))),
          fmt::format("a line with nothing but {} ends it", printable(heredoc.name)));
  node.range = {line.range.first, lines.line_number()};
  return node;
}

} // namespace

SyntaxTree parse_syntax(std::string text, std::string file_name) {
  SyntaxTree tree;
  tree.source = SourceFile(std::move(file_name), std::move(text));
  DockerfileLines lines(tree.source);
  while (auto line = lines.next())
    tree.nodes.push_back(parse_node(tree.source, lines, std::move(*line)));
  if (tree.nodes.empty())
    throw Error("{}: the file has no instructions", tree.source.name);
  tree.directives = lines.directives();
  return tree;
}

} // namespace cairn
