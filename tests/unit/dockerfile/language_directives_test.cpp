#include "dockerfile/requested_frontend.hpp"
#include "dockerfile/syntax/parser.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

namespace {

Directives directives_in(const std::string& text) {
  return parse_syntax(text + "FROM x\n", "Dockerfile").directives;
}

/// "image" or "image in line N".
std::string frontend_of(std::string_view text) {
  const auto found = requested_frontend(text);
  return found ? fmt::format("{} in line {}", found->image, found->line) : "none";
}

} // namespace

TEST_CASE("a directive is a name, = and a value, with blanks around each") {
  CHECK(directives_in("#\tescape\t=\t`  \n").escape == '`');
  CHECK(directives_in("  # ESCAPE=`\n").escape == '`');
  CHECK(directives_in("\xEF\xBB\xBF# escape=`\n").escape == '`');
  CHECK(directives_in("# es cape=`\n").escape == '\\');
  CHECK(directives_in("# 1escape=`\n").escape == '\\');
  CHECK(directives_in("## escape=`\n").escape == '\\');
  CHECK(directives_in("# escape=\n").escape == '\\');
}

TEST_CASE("a directive behind anything else is an ordinary comment") {
  for (const std::string before : {"\n", "# comment\n", "# unknown=x\n", "#!/bin/sh\n", "FROM y\n"})
    CHECK(directives_in(before + "# escape=`\n").escape == '\\');
}

TEST_CASE("directives come in any order, each once") {
  const auto all = directives_in("# check=error=true\n# escape=`\n# syntax=a/b:1\n");
  CHECK(all.check == "error=true");
  CHECK(all.escape == '`');
  CHECK(all.syntax == "a/b:1");
  for (const std::string name : {"syntax", "check"})
    CHECK(error_of([&] {
            (void)directives_in(fmt::format("# {0}=a\n# {0}=a\n", name));
          }).starts_with(fmt::format("Dockerfile:2: the directive '{}' is there twice", name)));
}

TEST_CASE("escape is a backslash or a backtick") {
  for (const std::string value : {"x", "``", "` x", "/"})
    CHECK(error_of([&] {
            (void)directives_in("# escape=" + value + "\n");
          }).starts_with("Dockerfile:1: escape=" + value + ": must be either \\ or `"));
}

TEST_CASE("a frontend is asked for by a directive, by a comment of C, or in JSON") {
  CHECK(frontend_of("# syntax=docker/dockerfile:1\nFROM x") == "docker/dockerfile:1 in line 1");
  CHECK(frontend_of("# escape=`\n#syntax = a/b@sha256:0 and more\n") == "a/b@sha256:0 in line 2");
  CHECK(frontend_of("\xEF\xBB\xBF#!/usr/bin/x\n# syntax=a\n") == "a in line 2");
  CHECK(frontend_of("// syntax=a/b\nanything") == "a/b in line 1");
  CHECK(frontend_of("{\"syntax\": \"a/b\", \"x\": 1}") == "a/b in line 0");
}

TEST_CASE("no frontend is asked for by anything else") {
  for (const std::string text :
       {"", "#!", "FROM x\n# syntax=a\n", "# comment\n# syntax=a\n", "\n# syntax=a\n",
        "{\"syntax\": 1}", "{\"syntax\"", "[\"syntax\"]", "#syntax\n"}) {
    CAPTURE(text);
    CHECK(frontend_of(text) == "none");
  }
}
