#pragma once

#include "dockerfile/lint/check_directive.hpp"
#include "dockerfile/lint/lint_rule.hpp"
#include "dockerfile/syntax/lines.hpp"
#include "dockerfile/syntax/source.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace cairn {

/// A rule that a Dockerfile breaks, and where.
struct LintWarning {
  LintRule rule = LintRule::undefined_var;
  SourceRange range;
  std::string detail; ///< What is wrong, in one sentence.
};

/// "Dockerfile:3: UndefinedVar: Usage of undefined variable '$x'".
std::string one_line(const LintWarning& warning, std::string_view file_name);

/// Gathers what rules report about one Dockerfile. What is skipped or was said before is dropped.
class Linter {
public:
  using Listener = std::function<void(const LintWarning&)>;

  Linter() = default;
  /// `instead` takes the place of the file's `# check=` directive. `listener` gets every warning
  /// at once. @throws Error when `instead` cannot be understood
  explicit Linter(const std::optional<std::string>& instead, Listener listener = {});

  /// Takes the options of the file's directive. @throws Error with place
  void read(const Directives& directives, const SourceFile& source);

  /// `comments` are those right above the instruction, which may skip the rule.
  void report(LintRule rule, SourceRange range, const std::vector<std::string>& comments,
              std::string detail);

  const std::vector<LintWarning>& warnings() const noexcept { return warnings_; }

  /// @throws Error when there are warnings, and a warning is to end the build
  void enforce(const SourceFile& source) const;

private:
  CheckOptions options_;
  bool is_overridden_ = false;
  Listener listener_;
  std::vector<LintWarning> warnings_;
  std::set<std::tuple<LintRule, int, std::string>> said_;
};

} // namespace cairn
