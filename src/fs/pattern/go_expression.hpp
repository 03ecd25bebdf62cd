#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// Characters, as ranges of code points.
struct CharClass {
  std::vector<std::pair<char32_t, char32_t>> ranges;
  bool negated = false;

  bool holds(char32_t c) const noexcept;
};

/// An element of the expression.
struct ExpressionItem {
  enum class Kind {
    one,           ///< A character of the class.
    many,          ///< Any number of them.
    directories,   ///< `(.*/)?`
    at_start,      ///< Nothing, at the start of the path.
    at_end,        ///< Nothing, at the end of the path.
    word_boundary, ///< Nothing, between a word character and another.
    no_boundary,   ///< Nothing, anywhere else.
  } kind = Kind::one;
  CharClass chars;
};

/// Reads the part of Go's regular expressions that ignore patterns can turn into: characters,
/// escapes, classes, `*` behind one of them, and `(.*/)?`. The expression fits whole paths.
/// Unicode classes (`\pL`) and quoting (`\Q`) are refused.
/// @throws Error "syntax error in pattern"
std::vector<ExpressionItem> parse_go_expression(std::string_view expression);

} // namespace cairn
