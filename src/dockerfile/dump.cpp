#include "dockerfile/parser.hpp"
#include "dockerfile/unicode.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

namespace cairn {

namespace {

bool shown_as_it_is(char32_t c) {
  const bool format = (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || c == 0xFEFF;
  return c >= 0xA0 && !is_space(c) && !format;
}

std::string quoted_ascii(char c) {
  constexpr std::string_view named = "\a\b\t\n\v\f\r";
  constexpr std::string_view names = "abtnvfr";
  if (c == '"' || c == '\\')
    return std::string("\\") + c;
  if (const auto at = named.find(c); at != std::string_view::npos)
    return std::string("\\") + names[at];
  if (c < 0x20 || c == 0x7F)
    return fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  return std::string(1, c);
}

/// A string as Go's strconv.Quote writes it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto point = decode_utf8(text);
    const auto bytes = text.substr(0, point.size);
    if (point.value < 0x80)
      out += quoted_ascii(bytes[0]);
    else if (point.size == 1)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    else if (shown_as_it_is(point.value))
      out += bytes;
    else
      out += point.value > 0xFFFF ? fmt::format("\\U{:08x}", static_cast<unsigned>(point.value))
                                  : fmt::format("\\u{:04x}", static_cast<unsigned>(point.value));
    text.remove_prefix(point.size);
  }
  return out + '"';
}

} // namespace

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
