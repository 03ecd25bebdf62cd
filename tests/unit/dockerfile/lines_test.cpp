#include "dockerfile/syntax/lines.hpp"
#include "dockerfile/syntax/parser.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

namespace {

/// The logical lines of a text, one per line of the result.
std::string lines_of(const std::string& text) {
  const SourceFile source("Dockerfile", text);
  DockerfileLines lines(source);
  std::string out;
  while (const auto line = lines.next())
    out += line->text + "\n";
  return out;
}

Directives directives_of(const std::string& text) {
  return parse_syntax(text, "Dockerfile").directives;
}

} // namespace

TEST_CASE("physical lines become logical ones") {
  struct Row {
    std::string text;
    std::string lines;
    std::string reason;
  };
  const Row rows[] = {
      {"A\nB", "A\nB\n", "the last line needs no line end"},
      {"A\r\nB \\\r\nC\r\n", "A\nB C\n", "CRLF ends a line like LF"},
      {"\xEF\xBB\xBF"
       "A\n",
       "A\n", "a byte order mark is no text"},
      {"A\n\xEF\xBB\xBF"
       "B\n",
       "A\n\xEF\xBB\xBF"
       "B\n",
       "but only at the start of the file"},
      {"  A\n", "A\n", "blanks before an instruction do not count"},
      {"A \\\n  B\n", "A   B\n", "blanks before a continued line do"},
      {"A \\ \t\nB\n", "A B\n", "blanks may follow the escape character"},
      {"A \\\\\nB\n", "A \\\\\nB\n", "an escaped escape character continues nothing"},
      {"A \\\n# x\nB\n", "A B\n", "a comment inside a continuation vanishes"},
      {"A \\\n\n\nB\n", "A B\n", "empty lines inside a continuation vanish"},
      {"A # x\n", "A # x\n", "# elsewhere is data"},
      {"A \\", "A \n", "a continuation may meet the end of the file"},
      {"\\\nA\n", "A\n", "a line may be nothing but an escape character"},
      {"# escape=`\nA `\nB \\\nC", "A B \\\nC\n", "the escape character can be chosen"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(lines_of(row.text) == row.lines);
  }
}

TEST_CASE("directives stand on the first lines only") {
  CHECK(directives_of("# escape=`\nFROM x\n").escape == '`');
  CHECK(directives_of("#   ESCAPE = ` \r\nFROM x\n").escape == '`');
  CHECK(directives_of("\n# escape=`\nFROM x\n").escape == '\\');
  CHECK(directives_of("# a comment\n# escape=`\nFROM x\n").escape == '\\');
  CHECK(directives_of("# unknown=x\n# escape=`\nFROM x\n").escape == '\\');
  CHECK(directives_of("FROM x\n# escape=`\n").escape == '\\');
  const auto all = directives_of("# syntax = docker/dockerfile:1\n# check=skip=all\nFROM x\n");
  CHECK(all.syntax == "docker/dockerfile:1");
  CHECK(all.check == "skip=all");
}

TEST_CASE("a directive that cannot be obeyed is an error") {
  CHECK(error_of([] { directives_of("# escape=z\nFROM x\n"); }) ==
        "Dockerfile:1: escape=z: must be either \\ or `\n> 1 | # escape=z");
  CHECK(error_of([] {
          directives_of("# escape=`\n# escape=`\nFROM x\n");
        }).starts_with("Dockerfile:2: the directive 'escape' is there twice"));
}

TEST_CASE("a line may have 65535 bytes and no more") {
  const std::string longest(65535, 'x');
  CHECK(lines_of(longest + "\n") == longest + "\n");
  CHECK_THROWS_AS(lines_of(longest + "x\n"), Error);
  CHECK_THROWS_AS(lines_of("A\n" + longest + "x"), Error);
}

TEST_CASE("a file without instructions is refused") {
  for (const std::string text : {"", "\n\n", "# nothing\n", "\xEF\xBB\xBF"})
    CHECK(error_of([&] { parse_syntax(text, "Dockerfile"); }) ==
          "Dockerfile: the file has no instructions");
}

TEST_CASE("comments right above an instruction belong to it") {
  const auto tree = parse_syntax("# syntax=x\n# one\n\n# two\nFROM x\n#\nRUN y\n# z\n#\n# w\nRUN v",
                                 "Dockerfile");
  CHECK(tree.nodes[0].comments == std::vector<std::string>{"one", "two"});
  CHECK(tree.nodes[1].comments.empty());
  CHECK(tree.nodes[2].comments == std::vector<std::string>{"w"});
}

TEST_CASE("an empty line in a continuation is noted with the instruction") {
  const auto tree = parse_syntax("FROM x\nRUN a \\\n\n  b\n", "Dockerfile");
  CHECK(tree.nodes[0].empty_continuation == 0);
  CHECK(tree.nodes[1].empty_continuation == 4);
}
