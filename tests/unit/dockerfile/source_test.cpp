#include "dockerfile/syntax/source.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

SourceFile numbered_lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i)
    text += "LINE " + std::to_string(i) + "\n";
  return {"Dockerfile", text};
}

} // namespace

TEST_CASE("an error shows its line behind a mark and two lines above") {
  CHECK(excerpt(numbered_lines(20), {12, 12}) == "  10 | LINE 10\n"
                                                 "  11 | LINE 11\n"
                                                 "> 12 | LINE 12");
}

TEST_CASE("line numbers of different width are aligned") {
  CHECK(excerpt(numbered_lines(10), {10, 10}) == "   8 | LINE 8\n"
                                                 "   9 | LINE 9\n"
                                                 "> 10 | LINE 10");
}

TEST_CASE("every line of an instruction is marked") {
  CHECK(excerpt(numbered_lines(3), {1, 2}) == "> 1 | LINE 1\n> 2 | LINE 2");
}

TEST_CASE("an instruction of many lines is cut short") {
  const auto text = excerpt(numbered_lines(100), {1, 100});
  CHECK(text.ends_with("> 8 | LINE 8\n  ... 92 more"));
}

TEST_CASE("a place outside the file has no excerpt") {
  const auto source = numbered_lines(3);
  CHECK(excerpt(source, {0, 0}).empty());
  CHECK(excerpt(source, {4, 4}).empty());
  CHECK(excerpt(SourceFile("x", ""), {1, 1}).empty());
}

TEST_CASE("a range that ends outside the file stops at its end") {
  CHECK(excerpt(numbered_lines(2), {2, 9}) == "  1 | LINE 1\n> 2 | LINE 2");
}

TEST_CASE("control characters cannot reach the terminal, tabs stay") {
  CHECK(excerpt({"x", "RUN\t\x1b[2J\r\n"}, {1, 1}) == "> 1 | RUN\t\\x1b[2J");
}

TEST_CASE("an empty line has no blank at its end") {
  CHECK(excerpt({"x", "\nB\n"}, {2, 2}) == "  1 |\n> 2 | B");
}

TEST_CASE("a long line is cut between two characters") {
  std::string line = "RUN ";
  for (int i = 0; i < 200; ++i)
    line += "\xC3\xA9";
  const auto text = excerpt({"x", line}, {1, 1});
  CHECK(text.size() < 200);
  CHECK(text.ends_with("\xC3\xA9..."));
}

TEST_CASE("an error names file and line, then shows the place, then the hint") {
  const auto error = with_hint(error_at(numbered_lines(2), {2, 2}, "no good"), "do better");
  CHECK(std::string(error.what()) == "Dockerfile:2: no good");
  CHECK(error.detail() == "  1 | LINE 1\n> 2 | LINE 2\nhint: do better");
}

TEST_CASE("an error that may go away keeps its kind when it gets a place") {
  const auto source = numbered_lines(1);
  try {
    try {
      throw TemporaryError("registry: no answer");
    } catch (Error& error) {
      add_place(error, source, {1, 1});
      throw;
    }
  } catch (const TemporaryError& error) {
    CHECK(std::string(error.what()) == "Dockerfile:1: registry: no answer");
    CHECK(error.exit_status() == 75);
  }
}
