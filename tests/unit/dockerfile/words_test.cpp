#include "dockerfile/words.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cairn;
using namespace cairn::test;

namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

VariableLookup lookup_in(const Variables& variables) {
  return [&variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Variables variables_of(const Json& row) {
  Variables variables;
  if (const auto* env = row.find("env"))
    for (const auto& [name, value] : env->as_object())
      variables[name] = value.as_string();
  return variables;
}

WordRules rules_of(const Json& row) {
  WordRules rules;
  rules.escape = row.string_or("escape", "\\")[0];
  return rules;
}

std::vector<std::string> strings_of(const Json& row, std::string_view key) {
  const auto* list = row.find(key);
  return list != nullptr ? list->as_strings() : std::vector<std::string>();
}

bool for_windows(const Json& row) { return row.string_or("platform", "A") == "W"; }

bool expects_error(const Json& row) {
  const auto* error = row.find("error");
  return error != nullptr && (error->is_string() || error->as_bool());
}

} // namespace

TEST_CASE("one word expands as in BuildKit's table") {
  const auto path = conformance_path("tables/env.jsonl");
  if (!path)
    return;
  for (const auto& row : read_rows(*path)) {
    if (for_windows(row))
      continue;
    const auto variables = variables_of(row);
    const auto lookup = lookup_in(variables);
    const auto input = row.string_or("input", "");
    CAPTURE(input);
    if (expects_error(row))
      CHECK_THROWS_AS(expand(input, lookup, rules_of(row)), Error);
    else
      CHECK(expand(input, lookup, rules_of(row)).word == row.string_or("expected", ""));
  }
}

TEST_CASE("words split as in BuildKit's table") {
  const auto path = conformance_path("tables/words.jsonl");
  if (!path)
    return;
  for (const auto& row : read_rows(*path)) {
    const auto variables = variables_of(row);
    const auto lookup = lookup_in(variables);
    const auto input = row.string_or("input", "");
    CAPTURE(input);
    if (expects_error(row))
      CHECK_THROWS_AS(expand(input, lookup, rules_of(row)), Error);
    else
      CHECK(expand(input, lookup, rules_of(row)).words == strings_of(row, "expected"));
  }
}

TEST_CASE("expansions name the variables that were set and those that were not") {
  const auto path = conformance_path("tables/expand.jsonl");
  if (!path)
    return;
  for (const auto& row : read_rows(*path)) {
    const auto variables = variables_of(row);
    const auto lookup = lookup_in(variables);
    const auto input = row.string_or("input", "");
    CAPTURE(input);
    CAPTURE(row.compact());
    if (expects_error(row)) {
      CHECK_THROWS_AS(expand(input, lookup, rules_of(row)), Error);
      continue;
    }
    const auto result = expand(input, lookup, rules_of(row));
    CHECK(result.word == row.string_or("word", ""));
    CHECK(result.words == strings_of(row, "words"));
    const auto matched = strings_of(row, "matched");
    const auto unmatched = strings_of(row, "unmatched");
    CHECK(result.matched == std::set<std::string>(matched.begin(), matched.end()));
    CHECK(result.unmatched == std::set<std::string>(unmatched.begin(), unmatched.end()));
  }
}
