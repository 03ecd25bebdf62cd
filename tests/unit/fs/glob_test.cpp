#include "check.hpp"
#include "errors.hpp"
#include "fs/pattern/glob.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("globs fit as Go's filepath.Match says") {
  test::check_part(test::fs_parts(), "tables/glob.jsonl");
}

TEST_CASE("globs in the corners of the syntax") {
  struct Row {
    const char* pattern;
    const char* name;
    bool fits;
    const char* why;
  };
  const Row rows[] = {
      {"a[[]0].txt", "a[0].txt", true, "a class can hold its own opening bracket"},
      {"a[^b]c", "a/c", true, "Go lets a class hold the slash"},
      {"a?c", "a/c", false, "a question mark does not"},
      {"*a*[b/]c", "xa/yc", false, "a star takes the first place that fits, for good"},
      {"[\xC3\xA9]", "\xC3\xA9", true, "characters are those of UTF-8"},
      {"?", "\xC3\xA9", true, "a character may be two bytes"},
      {"?", "\xC3", true, "a byte that is no character counts as one"},
      {"a\\*", "a*", true, "a backslash quotes"},
      {"", "", true, "nothing fits nothing"},
      {"***", "abc", true, "stars in a row are one star"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(match_glob(row.pattern, row.name) == row.fits);
  }
}

TEST_CASE("a malformed glob is an error whatever it is matched with") {
  for (const auto* pattern : {"a[", "x*[a-", "[]a]", "[-a]", "[a-]", "\\", "b*\\", "[\xC3]", "[^]"})
    for (const auto* name : {"", "a", "zzz/zzz"}) {
      CAPTURE(pattern);
      CHECK(test::error_of([&] { match_glob(pattern, name); }) == "syntax error in pattern");
    }
}

TEST_CASE("a source is searched for only when a wildcard in it is not quoted") {
  CHECK(has_wildcard("a*"));
  CHECK(has_wildcard("a/[b]"));
  CHECK(has_wildcard("?"));
  CHECK_FALSE(has_wildcard("a\\*b"));
  CHECK_FALSE(has_wildcard("a]b"));
  CHECK_FALSE(has_wildcard("a\\"));
}
