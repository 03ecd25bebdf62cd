#include "dockerfile/syntax/unicode.hpp"

#include "dockerfile/syntax/unicode_tables.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace cairn {

namespace {

constexpr char32_t replacement = 0xFFFD;

bool within_ranges(std::span<const unicode::Range> ranges, char32_t c) {
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), c,
      [](char32_t value, const unicode::Range& range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

/// How many bytes a sequence has by its first byte, and the payload bits of that byte.
CodePoint lead_byte(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF)
    return {byte & 0x1Fu, 2};
  if (byte >= 0xE0 && byte <= 0xEF)
    return {byte & 0x0Fu, 3};
  if (byte >= 0xF0 && byte <= 0xF4)
    return {byte & 0x07u, 4};
  return {replacement, 1};
}

} // namespace

CodePoint decode_utf8(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80)
    return {first, 1};
  CodePoint point = lead_byte(first);
  if (point.size > text.size() || point.size == 1)
    return {replacement, 1};
  for (std::size_t i = 1; i < point.size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0u) != 0x80)
      return {replacement, 1};
    point.value = point.value << 6 | (byte & 0x3Fu);
  }
  const bool overlong =
      (point.size == 3 && point.value < 0x800) || (point.size == 4 && point.value < 0x10000);
  const bool surrogate = point.value >= 0xD800 && point.value <= 0xDFFF;
  if (overlong || surrogate || point.value > 0x10FFFF)
    return {replacement, 1};
  return point;
}

bool is_space(char32_t c) {
  return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_letter(char32_t c) {
  if (c < 0x80)
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return within_ranges(unicode::letters, c);
}

bool is_decimal_digit(char32_t c) {
  return c < 0x80 ? c >= '0' && c <= '9' : within_ranges(unicode::decimal_digits, c);
}

std::string_view trim_space_left(std::string_view text) {
  while (!text.empty()) {
    const auto point = decode_utf8(text);
    if (!is_space(point.value))
      break;
    text.remove_prefix(point.size);
  }
  return text;
}

std::string_view trim_space(std::string_view text) {
  text = trim_space_left(text);
  while (!text.empty()) {
    // The longest tail that is one code point: white space takes up to three bytes.
    std::size_t size = 0;
    for (std::size_t tail = 1; tail <= 3 && tail <= text.size() && size == 0; ++tail) {
      const auto point = decode_utf8(text.substr(text.size() - tail));
      if (point.size == tail && is_space(point.value))
        size = tail;
    }
    if (size == 0)
      break;
    text.remove_suffix(size);
  }
  return text;
}

} // namespace cairn
