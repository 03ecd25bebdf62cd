#pragma once

#include "dockerfile/lint/linter.hpp"
#include "dockerfile/syntax/instruction.hpp"
#include "fs/pattern/ignore.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The ignore rules of a build context, asked about the sources of COPY and ADD.
class IgnoredSources {
public:
  IgnoredSources() = default;
  /// Rules that take something back ("!a") say nothing here: what a directory that is ignored still
  /// holds, the files decide.
  explicit IgnoredSources(std::vector<IgnoreLine> lines);

  /// Whether nothing of `source`, cleaned, is in the context. @throws Error on a bad pattern
  bool hold(std::string_view source);

private:
  std::vector<IgnoreLine> lines_;
  std::optional<IgnoreRules> rules_; ///< Compiled when first asked: a build may copy nothing.
};

/// Where a plan's build checks report to. Borrowed; without a linter nothing is checked.
struct PlanChecks {
  Linter* linter = nullptr;
  IgnoredSources* ignored = nullptr;

  void report(LintRule rule, const instruction::Common& about, std::string detail) const {
    if (linter != nullptr)
      linter->report(rule, about.range, about.comments, std::move(detail));
  }
};

/// " (did you mean $x?)" with `prefix` "$" for a name that is fewer than three edits away, the case
/// of letters counting; else "".
std::string meant_name(std::string_view name, const std::vector<std::string>& known,
                       std::string_view prefix);

} // namespace cairn
