#pragma once

#include <cstddef>
#include <string_view>

namespace cairn {

/// A character at the start of a text and how many bytes it takes.
struct Rune {
  char32_t value = 0xFFFD;
  std::size_t width = 1;
};

/// Decodes as Go does: a byte that starts no valid sequence is U+FFFD, one byte wide.
/// @pre the text is not empty
Rune decode_rune(std::string_view text) noexcept;

/// Whether the text starts with a byte that is no UTF-8, rather than with a written U+FFFD.
inline bool is_broken(const Rune& rune) noexcept {
  return rune.value == 0xFFFD && rune.width == 1;
}

} // namespace cairn
