#pragma once

#include "fs/pattern/go_expression.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

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

private:
  enum class Kind { exact, prefix, suffix, expression };

  std::string text_; ///< exact: the pattern; prefix, suffix: what is left without `**`.
  Kind kind_ = Kind::exact;
  std::vector<ExpressionItem> items_;
  std::string head_; ///< What every path that fits the expression starts with.
  std::string tail_; ///< What every path that fits the expression ends with.
};

} // namespace cairn
