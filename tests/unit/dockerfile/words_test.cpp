#include "dockerfile/syntax/words.hpp"
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

const Variables& some_variables() {
  static const Variables variables = {
      {"v", "a/b/c.tar.gz"}, {"empty", ""}, {"blanks", "x  y"}, {"lines", "a\nb"}, {"h", "1"}};
  return variables;
}

std::string expanded(std::string_view text, char escape = '\\') {
  return expand_word(text, lookup_in(some_variables()), escape);
}

} // namespace

TEST_CASE("an expansion ends before it fills the memory") {
  const Variables large = {{"v", std::string(std::size_t{100} << 10, 'a')}};
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "$v";
  CHECK(error_of([&] { expand_word(text, lookup_in(large)); }) ==
        "cannot expand '" + text.substr(0, 160) + "...': it becomes longer than 16777216 bytes");
  CHECK(error_of([&] {
          expand_word('"' + text + '"', lookup_in(large));
        }).ends_with("it becomes longer than 16777216 bytes"));
  CHECK(error_of([&] {
          expand_word("${v//a/" + text + "}", lookup_in(large));
        }).ends_with("longer than 16777216 bytes"));
  CHECK(error_of([&] {
          expand_word("${v//a/" + std::string(1000, 'b') + "}", lookup_in(large));
        }) == "the result is longer than 16777216 bytes");
  // The dollar comes by a variable, so that the pattern's template sees it.
  const Variables tricky = {{"v", std::string(std::size_t{100} << 10, 'a')}, {"d", "$0"}};
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += "${d}";
  CHECK(error_of([&] { expand_word("${v//*/" + many + "}", lookup_in(tricky)); }) ==
        "the result is longer than 16777216 bytes");
}

TEST_CASE("a pattern that would take hours is an error") {
  const Variables large = {{"v", std::string(std::size_t{100} << 10, 'a')}};
  const auto many = [](const char* piece) {
    std::string text;
    for (int i = 0; i < 10'000; ++i)
      text += piece;
    return text;
  };
  for (const auto& text : {"${v#" + many("*a") + "b}", "${v%b" + many("a*") + "}",
                           "${v/" + many("?") + "b/}", "${v//" + many("a*") + "b/}"})
    CHECK(error_of([&] { expand_word(text, lookup_in(large)); }) ==
          "a pattern of this length takes too long on a value of this length");
  // A template may be long and leave nothing behind.
  auto with_template = large;
  with_template["r"] = many("$x");
  CHECK(error_of([&] { expand_word("${v//a/$r}", lookup_in(with_template)); }) ==
        "a pattern of this length takes too long on a value of this length");
  CHECK(expand_word("${v##*a}", lookup_in(large)).empty());
  CHECK(expand_word("${v//aa/}", lookup_in(large)).empty());
}

TEST_CASE("each form of substitution") {
  struct Row {
    std::string text;
    std::string value;
    std::string reason;
  };
  const Row rows[] = {
      {"$v ${v}", "a/b/c.tar.gz a/b/c.tar.gz", "plain"},
      {"${none}", "", "an unset variable is empty"},
      {"${none:-w} ${empty:-w} ${empty-w} ${none-w}", "w w  w", "default"},
      {"${none:+w}${empty:+w}${empty+w}${v:+w}", "ww", "alternative"},
      {"${v?m}${empty?m}", "a/b/c.tar.gz", "demanded and set"},
      {"${v#*/} ${v##*/}", "b/c.tar.gz c.tar.gz", "prefix, shortest and longest"},
      {"${v%.*} ${v%%.*}", "a/b/c.tar a/b/c", "suffix, shortest and longest"},
      {"${v/[ab]/x}", "a/b/c.tar.gz", "brackets are no pattern"},
      {"${v/\\//_} ${v//\\//_}", "a_b/c.tar.gz a_b_c.tar.gz", "replace first and all"},
      {"${v//?/.}", "............", "? is any character"},
      {"${v//a/<$0>}", "<>/b/c.t<>r.gz", "$0 is a variable first, and not set"},
      {"${v//a/<\\$0>}", "<\\a>/b/c.t<\\a>r.gz", "an escaped one reaches the template"},
      {"${lines#*}|${lines##*}", "a\nb|\nb", "* stops at a line feed"},
      {"${none:-${empty:-${v}}}", "a/b/c.tar.gz", "nesting"},
      {"'$v' \"$h\" \\$v", "$v 1 $v", "quotes and escapes"},
      {"$", "$", "a lone dollar"},
      {"$h$", "1$", "a dollar at the end"},
      {"$1a ${1}", "a ", "a number is a name"},
      {"a\\", "a", "an escape character at the end vanishes"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(expanded(row.text) == row.value);
  }
}

TEST_CASE("the escape character is the file's") {
  CHECK(expanded("C:\\x `$v", '`') == "C:\\x $v");
}

TEST_CASE("a heredoc keeps its quotes") {
  CHECK(expand_heredoc("'$h' \"${h}\" \\$h\n", lookup_in(some_variables())) == "'1' \"1\" $h\n");
}

TEST_CASE("an expansion that cannot be done says what is wrong") {
  struct Row {
    std::string text;
    std::string error;
  };
  const Row rows[] = {
      {"${v", "cannot expand '${v': '}' is missing"},
      {"${v:=w}", "cannot expand '${v:=w}': there is no modifier ':='"},
      {"${v/x}", "cannot expand '${v/x}': '/' is missing"},
      {"'a", "cannot expand ''a': a single quote has no partner"},
      {"\"a", "cannot expand '\"a': a double quote has no partner"},
      {"${none?give me one}", "none: give me one"},
      {"${none?}", "none: must be set"},
      {"${empty:?}", "empty: must not be empty"},
      {"${v#\\a}", "invalid pattern '\\a': '\\' must be followed by one of * ? \\ } /"},
  };
  for (const auto& row : rows)
    CHECK(error_of([&] { expanded(row.text); }) == row.error);
}

TEST_CASE("substitutions nest a hundred deep and no deeper") {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i)
      text += "${none:-";
    return text + "x" + std::string(static_cast<std::size_t>(depth), '}');
  };
  CHECK(expanded(nested(100)) == "x");
  CHECK_THROWS_AS(expanded(nested(101)), Error);
  CHECK_THROWS_AS(expanded(nested(10000)), Error);
}

TEST_CASE("a word before a substitution with a default is lost where words are split") {
  // EXPOSE 80${none:-80} exposes 80 with BuildKit 0.32, whose images are the measure.
  CHECK(expand_words("80${none:-80}", lookup_in(some_variables())) ==
        std::vector<std::string>{"80"});
  CHECK(expanded("80${none:-80}") == "8080");
}
