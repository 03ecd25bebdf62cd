#pragma once

#include <string>
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

/// One pattern of an ignore file, compiled. moby's matcher turns a pattern into a regular
/// expression of Go; this is the same language, so that even its corners (`\d` is a digit, `a\b`
/// fits "a") decide as they do in BuildKit. Matching takes time linear in pattern and path.
class IgnorePattern {
public:
  /// `pattern` is cleaned and without "!". @throws Error "syntax error in pattern"
  explicit IgnorePattern(std::string pattern);

  /// Whether it fits the whole path: "a/b".
  bool fits(std::string_view path) const;

  /// False when no path below `directory` can fit.
  bool may_fit_below(std::string_view directory) const;

  /// An element of the expression.
  struct Item {
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

private:
  enum class Kind { exact, prefix, suffix, expression };

  std::string text_; ///< exact: the pattern; prefix, suffix: what is left without `**`.
  Kind kind_ = Kind::exact;
  std::vector<Item> items_;
  std::string head_; ///< What every path that fits the expression starts with.
  std::string tail_; ///< What every path that fits the expression ends with.
};

} // namespace cairn
