#include "check.hpp"
#include "context/git/git_reference.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("git references are told from other sources and read as BuildKit does") {
  test::check_part(test::git_parts(), "tables/gitrefs.jsonl");
}

TEST_CASE("what is no git reference, and why") {
  const char* rows[] = {
      "",                             // nothing
      "./github.com/a/b",             // a path, said to be one
      "../x.git",                     // the same
      "x.git",                        // a file of the context
      "https://host/x",               // a download
      "https://host/x.git/y",         // a download below a path that looks like one
      "ftp://host/x.git",             // a scheme that git has, but not here
      "file:///x.git",                // this machine's
      "git@host",                     // no path
      "host:x.git",                   // no user: could be a path of the context
      "https://host/x.git\nADD evil", // more than one line
      "https:///x.git",               // no host
      "git@ho/st:x",                  // a path
  };
  for (const auto* text : rows) {
    CAPTURE(text);
    CHECK(!parse_git_reference(text));
  }
}

TEST_CASE("the parts of git references") {
  struct Row {
    const char* text;
    const char* remote;
    const char* ref;
    const char* directory;
    const char* checksum;
  };
  const Row rows[] = {
      {"https://h/x.git", "https://h/x.git", "", "", ""},
      {"HTTPS://h/x.git#v1", "https://h/x.git", "v1", "", ""},
      {"https://h:8443/x.git#v1:a/b", "https://h:8443/x.git", "v1", "a/b", ""},
      {"https://h/x.git#:a:b", "https://h/x.git", "", "a:b", ""},
      {"https://h/x%20y.git#v%201", "https://h/x%20y.git", "v 1", "", ""},
      {"ssh://git@h:22/x#v1", "ssh://git@h:22/x", "v1", "", ""},
      {"me@h:a/b.git?tag=v1&subdir=c", "me@h:a/b.git", "refs/tags/v1", "c", ""},
      {"https://h/x.git?branch=refs/heads/b", "https://h/x.git", "refs/heads/b", "", ""},
      {"https://h/x.git?ref=a#a", "https://h/x.git", "a", "", ""},
      {"https://h/x.git?commit=abc", "https://h/x.git", "", "", "abc"},
      {"https://h/x.git?subdir=a+b%2Fc&", "https://h/x.git", "", "a b/c", ""},
      {"github.com/o/r#main:d", "github.com/o/r", "main", "d", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto reference = parse_git_reference(row.text);
    REQUIRE(reference);
    CHECK(reference->remote == row.remote);
    CHECK(reference->ref == row.ref);
    CHECK(reference->subdirectory == row.directory);
    CHECK(reference->checksum == row.checksum);
  }
}

TEST_CASE("queries that make no sense are errors") {
  struct Row {
    const char* query;
    const char* error;
  };
  const Row rows[] = {
      {"x=1", "unexpected query \"x\""},
      {"ref=", "query \"ref\" has no value"},
      {"ref=a&ref=a", "query \"ref\" has multiple values"},
      {"ref=%zz", "invalid query"},
      {"subdir=a&tag=b&branch=c", "branch conflicts with tag"},
      {"checksum=a&commit=b", "checksum conflicts"},
      {"keep-git-dir=maybe", "invalid keep-git-dir value: \"maybe\""},
      {"fetch-by-commit=1", "fetch-by-commit needs a checksum"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.query);
    CHECK_THROWS_WITH_AS(parse_git_reference(std::string("https://h/x.git?") + row.query),
                         doctest::Contains(row.error), Error);
  }
}

TEST_CASE("flags of a query are true without a value") {
  const auto some = parse_git_reference("https://h/x.git?keep-git-dir&submodules=0");
  CHECK(some->keep_git_dir == true);
  CHECK(some->submodules == false);
  const auto none = parse_git_reference("https://h/x.git");
  CHECK(!none->keep_git_dir);
  CHECK(!none->submodules);
}

TEST_CASE("a git reference is shown without its password") {
  struct Row {
    const char* text;
    const char* shown;
  };
  const Row rows[] = {
      {"https://h/x.git#v1", "https://h/x.git#v1"},
      {"https://me:secret@h/x.git", "https://***@h/x.git"},
      {"https://token@h/x.git", "https://***@h/x.git"}, // a name alone may be a token
      {"https://a@b:c@h/x.git", "https://***@h/x.git"},
      {"ssh://git@h/x", "ssh://git@h/x"},
      {"ssh://git:secret@h/x", "ssh://***@h/x"},
      {"git@h:x/y.git", "git@h:x/y.git"},
      {"https://h/x.git?subdir=a@b", "https://h/x.git?subdir=a@b"},
      {"https://me:secret@h", "https://***@h"},
      {"dir/file@2x.png", "dir/file@2x.png"},
  };
  for (const auto& row : rows)
    CHECK(redact_git_reference(row.text) == row.shown);
}
