#include "apps/argo/command.hpp"
#include "apps/creds/flag_table.hpp"
#include "apps/executor/flag_table.hpp"
#include "apps/executor/login_command.hpp"
#include "apps/warmer/flag_table.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

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

void check_rows(const std::string& document, const std::vector<FlagSpec>& specs) {
  auto documented = documented_flags(std::string(CAIRN_SOURCE_ROOT "/") + document);
  for (const auto& spec : specs) {
    const std::string name(spec.name);
    CAPTURE(name);
    REQUIRE(documented.count(name) == 1);
    CHECK(documented[name].shorthand == spec.shorthand);
    CHECK(documented[name].status == status_of(spec));
    documented.erase(name);
  }
  for (const auto& [name, flag] : documented)
    FAIL_CHECK(document << " describes --" << name << ", which does not exist");
}

} // namespace

TEST_CASE("docs/flags.md has a row for every flag, with its shorthand and status, and no other") {
  check_rows("docs/flags.md", specs_of(executor_flags()));
}

TEST_CASE("docs/warmer.md has a row for every flag of the warmer, and no other") {
  check_rows("docs/warmer.md", specs_of(warmer_flags()));
}

TEST_CASE("docs/credentials.md has a row for every flag of cairn-creds, with its commands, and no "
          "other") {
  std::map<std::string, std::string> expected;
  for (const auto& verb : creds_verbs())
    for (const auto& flag : verb.flags) {
      auto name = "`--" + std::string(flag.spec.name) + "`";
      if (!flag.spec.shorthand.empty())
        name += " (`-" + std::string(flag.spec.shorthand) + "`)";
      auto& verbs = expected[name];
      verbs += (verbs.empty() ? "" : ", ") + std::string(verb.name);
      CHECK_FALSE(flag.spec.help.empty());
    }
  for (auto& [name, verbs] : expected)
    if (verbs == "inject, check, erase, print-env" && name.starts_with("`--help`"))
      verbs = "all";
  std::ifstream file(CAIRN_SOURCE_ROOT "/docs/credentials.md");
  std::map<std::string, std::string> documented;
  for (std::string line; std::getline(file, line);) {
    const auto cells = split(line, '|');
    if (line.starts_with("| `--") && cells.size() == 5)
      documented[std::string(trim(cells.at(1)))] = trim(cells.at(2));
  }
  CHECK(documented == expected);
}

TEST_CASE(
    "flags of push and index mean what they mean to a build, those of login and of the plugin "
    "for Argo are in documents of their own") {
  const auto documented = documented_flags(CAIRN_SOURCE_ROOT "/docs/flags.md");
  for (const auto& specs : {push_flag_specs(), index_flag_specs()})
    for (const auto& spec : specs)
      CHECK_MESSAGE(documented.count(std::string(spec.name)) == 1, std::string(spec.name));
  const auto check_named = [](const char* path, std::string_view group,
                              const std::vector<FlagSpec>& specs) {
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    for (const auto& spec : specs)
      if (spec.group == group)
        CHECK_MESSAGE(text.find("`--" + std::string(spec.name) + "`") != std::string::npos,
                      std::string(spec.name));
  };
  check_named(CAIRN_SOURCE_ROOT "/docs/registries.md", "Login", login_flag_specs());
  check_named(CAIRN_SOURCE_ROOT "/docs/argo-plugin.md", "Server", plugin_flag_specs());
}

TEST_CASE("names and shorthands are unique") {
  std::map<std::string_view, int> uses;
  for (const auto& spec : specs_of(executor_flags())) {
    ++uses[spec.name];
    CHECK(spec.name.size() > 1);
    CHECK(spec.shorthand.size() <= 1);
    if (!spec.shorthand.empty())
      ++uses[spec.shorthand];
  }
  for (const auto& use : uses) {
    CAPTURE(std::string(use.first));
    CHECK(use.second == 1);
  }
}

TEST_CASE("a flag does something, or is the old name of one that does") {
  const auto all = executor_flags();
  std::map<std::string_view, const Flag<ParsedExecutorFlags>*> flags;
  for (const auto& flag : all)
    flags[flag.spec.name] = &flag;
  for (const auto& flag : all) {
    CAPTURE(std::string(flag.spec.name));
    const auto& meant = flag.spec.alias_of.empty() ? flag.spec.name : flag.spec.alias_of;
    REQUIRE(flags.count(meant) == 1);
    const bool is_applied = flags[meant]->apply != nullptr;
    CHECK(is_applied);
    CHECK_FALSE(flags[meant]->spec.help.empty());
  }
}
