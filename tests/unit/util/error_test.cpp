#include "util/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("util/error");

TEST_CASE("context is added on the way out and the type survives") {
  try {
    within([] { within([] { throw SysError(ENOENT, "open '{}'", "src/x"); }, "COPY"); },
           "Dockerfile:{}", 12);
    FAIL("no error was thrown");
  } catch (const SysError& error) {
    CHECK(error.is(std::errc::no_such_file_or_directory));
    CHECK(std::string(error.what()) ==
          "Dockerfile:12: COPY: open 'src/x': No such file or directory");
  }
}

TEST_CASE("a mistake exits with 1, a failure that a retry could heal with 75") {
  CHECK(Error("no").exit_status() == 1);
  CHECK(TemporaryError("later").exit_status() == 75);
}

TEST_CASE("hints stand below the message") {
  const auto error = with_hint(Error("no such stage"), "the stages are a, b");
  CHECK(std::string(error.what()) == "no such stage");
  CHECK(error.detail() == "hint: the stages are a, b");
}

TEST_SUITE_END();
