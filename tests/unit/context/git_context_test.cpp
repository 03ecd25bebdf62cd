#include "context/git/git_context.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("contexts as kaniko writes them") {
  struct Row {
    const char* context;
    const char* remote;
    const char* ref;
    const char* commit;
  };
  const std::string commit(40, 'a');
  const auto with_commit = "git://h/x.git#refs/heads/b#" + commit;
  const auto only_commit = "git://h/x.git##" + commit;
  const Row rows[] = {
      {"git://h/x.git", "https://h/x.git", "", ""},
      {"git://h/x", "https://h/x", "", ""},
      {"git://me:pw@h/x#refs/heads/b", "https://me:pw@h/x", "refs/heads/b", ""},
      {"git://h/x#b", "https://h/x", "b", ""},
      {"git://h/x#refs/pull/7/head", "https://h/x", "refs/pull/7/head", ""},
      {with_commit.c_str(), "https://h/x.git", "refs/heads/b", commit.c_str()},
      {only_commit.c_str(), "https://h/x.git", "", commit.c_str()},
      {"git://h/x#b#", "https://h/x", "b", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.context);
    const auto source = parse_git_context(row.context, {});
    REQUIRE(source);
    CHECK(source->is_kaniko);
    CHECK(source->reference.remote == row.remote);
    CHECK(source->reference.ref == row.ref);
    CHECK(source->reference.checksum == row.commit);
    CHECK(source->reference.submodules == false);
  }
}

TEST_CASE("what --git and GIT_PULL_METHOD say counts where the context does not") {
  GitContextOptions options;
  options.branch = "dev";
  options.submodules = true;
  options.pull_method = "http";
  const auto plain = parse_git_context("git://h/x", options)->reference;
  CHECK(plain.remote == "http://h/x");
  CHECK(plain.ref == "dev");
  CHECK(plain.submodules == true);
  CHECK(parse_git_context("git://h/x#main", options)->reference.ref == "main");
  CHECK(parse_git_context("git://h/x##abcdef", options)->reference.ref.empty());
}

TEST_CASE("contexts as BuildKit writes them are none of kaniko's") {
  const auto source = parse_git_context("https://h/x.git#v1:d", {});
  REQUIRE(source);
  CHECK(!source->is_kaniko);
  CHECK(source->reference.subdirectory == "d");
  CHECK(!source->reference.submodules);
  CHECK(parse_git_context("github.com/o/r", {})->reference.url() == "https://github.com/o/r");
  CHECK(parse_git_context("ssh://git@h/x", {}));
}

TEST_CASE("other contexts are none of git's") {
  for (const auto* context :
       {"/workspace", "dir:///x", "tar://x.tar.gz", "https://h/x.tar.gz", "-"})
    CHECK(!parse_git_context(context, {}));
}

TEST_CASE("a context of git that cannot be is an error without its password") {
  for (const auto* context :
       {"git://", "git://me:secret@h", "git://me:secret@h/x#b#zz", "git://me:secret@h/x#a#b#c"}) {
    CAPTURE(context);
    try {
      static_cast<void>(parse_git_context(context, {}));
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).starts_with("build context 'git://"));
      CHECK(std::string(error.what()).find("secret") == std::string::npos);
    }
  }
}
