#include "check.hpp"
#include "errors.hpp"
#include "fs/pattern/ignore.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cairn;
using test::error_of;

namespace {

// What is known of the directory that a path is in, found as a walk finds it.
IgnoreRules::Scope scope_above(const IgnoreRules& rules, const std::string& path) {
  IgnoreRules::Scope scope;
  for (auto at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    IgnoreRules::Scope own;
    rules.judge(path.substr(0, at), scope, own);
    scope = own;
  }
  return scope;
}

IgnoreRules::Answer walk_to(const IgnoreRules& rules, const std::string& path) {
  IgnoreRules::Scope unused;
  return rules.judge(path, scope_above(rules, path), unused);
}

bool file_ignored(const IgnoreRules& rules, const std::string& path) {
  return rules.judge_file(path, scope_above(rules, path)).ignored();
}

bool ignores(const std::vector<std::string>& patterns, const std::string& path) {
  return IgnoreRules::of(patterns).judge(path).ignored();
}

} // namespace

TEST_CASE("ignore files are read as BuildKit reads them") {
  test::check_part(test::fs_parts(), "tables/ignorefile.jsonl");
}

TEST_CASE("patterns decide as moby's matcher does") {
  test::check_part(test::fs_parts(), "tables/dockerignore.jsonl");
}

TEST_CASE("patterns are expressions of Go underneath") {
  CHECK(ignores({"\\d"}, "7"));
  CHECK_FALSE(ignores({"\\d"}, "d"));
  CHECK(ignores({"[\\d_]x"}, "4x"));
  CHECK(ignores({"[[:digit:]]x"}, "3x"));
  CHECK_FALSE(ignores({"[[:digit:]]x"}, "ax"));
  CHECK(ignores({"a\\b"}, "a"));
  CHECK(ignores({"\\W"}, "-"));
  CHECK(ignores({"\\x41"}, "A"));
  CHECK(ignores({"[^x]"}, "\xC3\xA9"));
  CHECK_FALSE(ignores({"a[bc]^d"}, "ab^d"));
  CHECK(ignores({"a.c"}, "a.c"));
  CHECK_FALSE(ignores({"a.[c]"}, "axc"));
  CHECK(ignores({"\\*"}, "*"));
}

TEST_CASE("a pattern that Go could not compile is refused with its line") {
  CHECK(error_of([] { IgnoreRules(parse_ignore_file("ok\n\n[b-a]x\n")); }) ==
        "line 3: pattern '[b-a]x': syntax error in pattern");
  CHECK(error_of([] { IgnoreRules(parse_ignore_file("# c\n!\n")); }) ==
        "line 2: pattern '!': illegal exclusion pattern: \"!\"");
  for (const auto* pattern : {"a[", "\\y", "\\9", "[[:nosuch:]]", "\\pL", "\\", "[\\", "\\x{e9}"}) {
    CAPTURE(pattern);
    CHECK(error_of([&] { IgnoreRules::of({pattern}); }).ends_with("syntax error in pattern"));
  }
}

TEST_CASE("the line that decided is known") {
  const IgnoreRules rules(parse_ignore_file("# head\n*.log\n\nsrc\n!src/keep\n"));
  const auto line = [&](const char* path) {
    const auto answer = walk_to(rules, path);
    return answer.line == nullptr ? std::string("none")
                                  : std::to_string(answer.line->number) + answer.line->pattern;
  };
  CHECK(line("a.log") == "2*.log");
  CHECK(line("src/x") == "4src");
  CHECK(line("src/keep/y") == "5!src/keep");
  CHECK(line("other") == "none");
}

TEST_CASE("a walk takes back only directories that were ignored as a whole") {
  // moby's matcher alone says that !a takes a/x back; the walk of BuildKit, which asks about a
  // first, does not.
  const auto rules = IgnoreRules::of({"a/x", "!a"});
  CHECK_FALSE(rules.judge("a/x").ignored());
  CHECK(walk_to(rules, "a/x").ignored());
  CHECK(file_ignored(rules, "a/x"));
}

TEST_CASE("a file is ignored with its directory though a line before that would keep it") {
  // The walk forgets src/gen, as * had ignored it before; BuildKit then sends the file empty.
  const auto rules = IgnoreRules::of({"*", "!src/**/*.c", "src/gen"});
  CHECK(rules.judge("src/gen/g.c").ignored());
  CHECK_FALSE(walk_to(rules, "src/gen/g.c").ignored());
  CHECK(file_ignored(rules, "src/gen/g.c"));
  CHECK_FALSE(file_ignored(rules, "src/a.c"));
}

TEST_CASE("a walk may skip an ignored directory unless a line could take back what is in it") {
  struct Row {
    std::vector<std::string> patterns;
    const char* directory;
    bool may_keep;
    const char* why;
  };
  const Row rows[] = {
      {{"*"}, "a", false, "nothing is ever taken back"},
      {{"*", "!b"}, "a", false, "only b is"},
      {{"*", "!a/b/c"}, "a", true, "a line goes through it"},
      {{"*", "!a/b/c"}, "a/b", true, "and deeper"},
      {{"*", "!a/b/c"}, "a/bc", false, "but not beside"},
      {{"*", "!a/*.txt"}, "a", true, "wildcards count from where they are"},
      {{"*", "!a/*.txt"}, "b", false, "what stands before them still has to fit"},
      {{"*", "!**/x"}, "a", true, "this could be anywhere"},
      {{"*", "!a/**"}, "a/b", true, "everything below is taken back"},
      {{"*", "!a"}, "a/b", false, "the directory was taken back already, or never"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(IgnoreRules::of(row.patterns).may_keep_below(row.directory) == row.may_keep);
  }
}

TEST_CASE("long patterns and paths do not take forever") {
  std::string pattern;
  for (int i = 0; i < 200; ++i)
    pattern += "**/*a";
  std::string path(3000, 'a');
  CHECK_FALSE(ignores({pattern}, path + "b"));
}

TEST_CASE("rules without lines keep everything") {
  CHECK(IgnoreRules().empty());
  CHECK_FALSE(IgnoreRules().judge("a/b").ignored());
  CHECK(IgnoreRules(parse_ignore_file("# nothing\n")).empty());
}
