#pragma once

#include "dockerfile/lint/lint_rule.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Rules by name, or all of them.
struct RuleSet {
  bool all = false;
  std::set<LintRule> rules;

  bool holds(LintRule rule) const { return all || rules.contains(rule); }
};

/// Which checks are made, and what they lead to.
struct CheckOptions {
  RuleSet skip;
  RuleSet experimental;
  bool error = false; ///< A warning ends the build.

  bool wants(LintRule rule) const;
};

/// "skip=RuleA,RuleB;experimental=all;error=true" in any order. Rules that nobody knows are passed
/// over: they may be those of a later frontend.
/// @throws Error without a place
CheckOptions parse_check_options(std::string_view text);

/// The options of a directive or comment, which end at the first blank: "skip=all // by design".
std::string_view check_options_text(std::string_view value);

/// What `# check=...` among the comments right above an instruction asks for; the first one counts.
/// Nothing where there is none, and where it cannot be understood: it is a comment then.
std::optional<CheckOptions> check_comment(const std::vector<std::string>& comments);

/// Whether a comment, without its "#", is a `check=...`.
bool is_check_comment(std::string_view comment);

} // namespace cairn
