#include "dockerfile/syntax/quote.hpp"

#include "dockerfile/syntax/unicode.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Beyond ASCII: controls, formats and what is for private use (general categories Cc, Cf, Co).
/// Spaces are asked of is_space().
constexpr Range hidden[] = {
    {0x80, 0x9F},       {0xAD, 0xAD},        {0x600, 0x605},   {0x61C, 0x61C},   {0x6DD, 0x6DD},
    {0x70F, 0x70F},     {0x180E, 0x180E},    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F},
    {0xE000, 0xF8FF},   {0xFEFF, 0xFEFF},    {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0001, 0xE0001},
    {0xE0020, 0xE007F}, {0xF0000, 0x10FFFF},
};

bool shown_as_it_is(char32_t c) {
  return !is_space(c) &&
         std::none_of(std::begin(hidden), std::end(hidden),
                      [c](const Range& range) { return c >= range.first && c <= range.last; });
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

} // namespace

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

} // namespace cairn
