#include "apps/executor/flag_table.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

using namespace cairn;

namespace {

struct DocumentedFlag {
  std::string shorthand, status;
};

/// The rows "| `--name` (`-n`) | type | default | variable | status | meaning |" of a document.
std::map<std::string, DocumentedFlag> documented_flags(const std::string& path) {
  std::ifstream file(path);
  std::map<std::string, DocumentedFlag> flags;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `--"))
      continue;
    const auto cells = split(line, '|');
    REQUIRE_MESSAGE(cells.size() == 8, line);
    const auto names = split(cells.at(1), '`');
    REQUIRE(names.size() >= 3);
    const auto status = std::string(trim(cells.at(5)));
    const auto name = names.at(1).substr(2);
    CHECK_MESSAGE(flags.count(name) == 0, name);
    flags[name] = {names.size() >= 5 ? names.at(3).substr(1) : "", status};
  }
  return flags;
}

std::string status_of(const FlagSpec& spec) {
  if (!spec.alias_of.empty())
    return "old name";
  switch (spec.support) {
  case Support::works:
    return "works";
  case Support::no_effect:
    return "no effect";
  case Support::later:
    return "not yet";
  }
  return "";
}

} // namespace

TEST_CASE("docs/flags.md has a row for every flag, with its shorthand and status, and no other") {
  auto documented = documented_flags(CAIRN_SOURCE_ROOT "/docs/flags.md");
  for (const auto& spec : executor_flag_specs()) {
    const std::string name(spec.name);
    CAPTURE(name);
    REQUIRE(documented.count(name) == 1);
    CHECK(documented[name].shorthand == spec.shorthand);
    CHECK(documented[name].status == status_of(spec));
    documented.erase(name);
  }
  for (const auto& [name, flag] : documented)
    FAIL_CHECK("docs/flags.md describes --" << name << ", which does not exist");
}

TEST_CASE("the table of flags is sound") {
  const auto flags = executor_flags();
  for (const auto& flag : flags) {
    const auto& spec = flag.spec;
    CAPTURE(spec.name);
    CHECK(std::count_if(flags.begin(), flags.end(), [&](const ExecutorFlag& other) {
            return other.spec.name == spec.name ||
                   (!spec.shorthand.empty() && other.spec.shorthand == spec.shorthand);
          }) == 1);
    CHECK(spec.shorthand.size() <= 1);
    if (spec.alias_of.empty()) {
      const bool is_applied = flag.apply != nullptr;
      CHECK(is_applied);
      CHECK_FALSE(spec.help.empty());
    } else {
      CHECK(std::any_of(flags.begin(), flags.end(), [&](const ExecutorFlag& other) {
        return other.spec.name == spec.alias_of && other.spec.alias_of.empty();
      }));
    }
  }
}
