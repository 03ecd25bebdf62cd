#include "dockerfile/syntax/words.hpp"
#include "parts.hpp"

#include <map>
#include <set>

namespace cairn::test {

namespace {

Expansion expanded(const Json& row) {
  std::map<std::string, std::string, std::less<>> variables;
  if (const auto* env = row.find("env"))
    for (const auto& [name, value] : env->as_object())
      variables[name] = value.as_string();
  WordRules rules;
  rules.escape = row.string_or("escape", "\\")[0];
  const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return expand(row.string_or("input", ""), lookup, rules);
}

Verdict check_refused_words(const Json& row) {
  if (message_of([&] { (void)expanded(row); }).empty())
    return Verdict::differs(row.string_or("input", "") + ": expected an error");
  return {};
}

Verdict check_env(const Json& row) {
  if (row.string_or("platform", "A") == "W")
    return Verdict::skipped("a rule of Windows");
  if (expects_error(row))
    return check_refused_words(row);
  Comparison found;
  found.expect(row.string_or("input", ""), expanded(row).word, row.string_or("expected", ""));
  return found.verdict();
}

Verdict check_words(const Json& row) {
  if (expects_error(row))
    return check_refused_words(row);
  Comparison found;
  found.expect(row.string_or("input", ""), expanded(row).words, strings_of(row, "expected"));
  return found.verdict();
}

std::vector<std::string> listed(const std::set<std::string>& names) {
  return {names.begin(), names.end()};
}

std::vector<std::string> sorted(const Json& row, std::string_view key) {
  const auto names = strings_of(row, key);
  return listed({names.begin(), names.end()});
}

Verdict check_expand(const Json& row) {
  if (expects_error(row))
    return check_refused_words(row);
  const auto result = expanded(row);
  const auto input = row.string_or("input", "");
  Comparison found;
  found.expect(input, result.word, row.string_or("word", ""));
  found.expect(input + " in words", result.words, strings_of(row, "words"));
  found.expect(input + " matched", listed(result.matched), sorted(row, "matched"));
  found.expect(input + " unmatched", listed(result.unmatched), sorted(row, "unmatched"));
  return found.verdict();
}

} // namespace

std::vector<Part> word_parts() {
  return {{"tables/env.jsonl", read_lines, check_env},
          {"tables/words.jsonl", read_lines, check_words},
          {"tables/expand.jsonl", read_lines, check_expand}};
}

} // namespace cairn::test
