#include "dockerfile/lint/check_directive.hpp"

#include "dockerfile/syntax/unicode.hpp"
#include "dockerfile/syntax/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

RuleSet parse_rules(std::string_view text) {
  RuleSet set;
  set.all = text == "all";
  for (const auto& name : split(text, ','))
    if (const auto rule = find_lint_rule(trim_space(name)))
      set.rules.insert(*rule);
  return set;
}

bool parse_error_option(std::string_view text) {
  const auto value = parse_bool(text);
  if (!value)
    throw Error("error={}: must be true or false", printable(text));
  return *value;
}

/// The value of a comment `check = value`.
std::optional<std::string_view> check_value(std::string_view comment) {
  const auto parts = cut(comment, '=');
  if (!parts || !equals_ignoring_case(trim_space(parts->first), "check"))
    return std::nullopt;
  const auto value = trim_space(parts->second);
  return value.empty() ? std::nullopt : std::optional(value);
}

} // namespace

bool CheckOptions::wants(LintRule rule) const {
  return info(rule).state == RuleState::experimental ? experimental.holds(rule) : !skip.holds(rule);
}

CheckOptions parse_check_options(std::string_view text) {
  CheckOptions options;
  text = trim_space(text);
  if (text.empty())
    return options;
  for (const auto& part : split(text, ';')) {
    const auto parts = cut(part, '=');
    if (!parts)
      throw with_hint(Error("'{}' is no check option", printable(part)),
                      "skip=RULE,... error=true and experimental=RULE,... are, with ';' between");
    const auto key = trim_space(parts->first);
    const auto value = trim_space(parts->second);
    if (key == "skip")
      options.skip = parse_rules(value);
    else if (key == "experimental")
      options.experimental = parse_rules(value);
    else if (key == "error")
      options.error = parse_error_option(value);
    else
      throw Error("'{}' is no check option{}", printable(key),
                  did_you_mean(key, {"skip", "error", "experimental"}));
  }
  return options;
}

std::string_view check_options_text(std::string_view value) {
  return value.substr(0, value.find(' '));
}

std::optional<CheckOptions> check_comment(const std::vector<std::string>& comments) {
  for (const auto& comment : comments) {
    const auto value = check_value(comment);
    if (!value)
      continue;
    try {
      return parse_check_options(check_options_text(*value));
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

bool is_check_comment(std::string_view comment) {
  return check_value(comment).has_value();
}

} // namespace cairn
