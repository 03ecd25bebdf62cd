#include "check.hpp"
#include "errors.hpp"
#include "fs/copy/chmod.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("modes change as BuildKit changes them") {
  test::check_part(test::fs_parts(), "tables/chmod.jsonl");
}

TEST_CASE("a symbolic link keeps its mode") {
  CHECK(ModeChange::parse("600").apply(0777, FileType::symlink) == 0777);
  CHECK(ModeChange::parse("a=").apply(0777, FileType::symlink) == 0777);
}

TEST_CASE("X lets directories be searched, and files only if anyone may execute them") {
  const auto change = ModeChange::parse("a+X");
  CHECK(change.apply(0600, FileType::directory) == 0711);
  CHECK(change.apply(0600, FileType::regular) == 0600);
  CHECK(change.apply(0610, FileType::regular) == 0711);
}

TEST_CASE("what is neither an octal number nor a list of changes is refused by name") {
  for (const auto* text : {"64a", "10000", "8", "0x1ff"}) {
    CAPTURE(text);
    CHECK(test::error_of([&] { ModeChange::parse(text); }) ==
          "invalid chmod parameter: '" + std::string(text) +
              "'. it should be octal string and between 0 and 07777");
  }
  for (const auto* text : {"", "+", "u", "u+x,", ",u+x", "u+q", "-755", "u=rw o=r"}) {
    CAPTURE(text);
    const auto error = test::error_of([&] { ModeChange::parse(text); });
    // chmod(1) takes a lone operator as well: it changes nothing.
    CHECK(error.starts_with(std::string(text) == "+" ? "" : "invalid chmod parameter: '"));
  }
}

TEST_CASE("an octal mode is known as a number") {
  CHECK(ModeChange::parse("0755").octal() == 0755U);
  CHECK_FALSE(ModeChange::parse("u=rwx").octal());
}
