#pragma once

#include <cstddef>
#include <string_view>

namespace cairn {

struct CodePoint {
  char32_t value;   ///< U+FFFD for a byte that is not UTF-8.
  std::size_t size; ///< Bytes taken, at least 1.
};

/// The first code point of `text`. @pre `text` is not empty
CodePoint decode_utf8(std::string_view text);

// The classes of Unicode 14, with the members that the Go library gives them.
bool is_space(char32_t c);         ///< White_Space
bool is_letter(char32_t c);        ///< General categories Lu, Ll, Lt, Lm, Lo
bool is_decimal_digit(char32_t c); ///< General category Nd

/// Without the white space at both ends, by is_space().
std::string_view trim_space(std::string_view text);
std::string_view trim_space_left(std::string_view text);

} // namespace cairn
