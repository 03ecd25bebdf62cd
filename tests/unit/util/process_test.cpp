#include "util/error.hpp"
#include "util/process.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("util/process");

namespace {

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", script};
  return spec;
}

} // namespace

TEST_CASE("a program gets its input and its environment, and nothing else") {
  auto spec = shell("cat; echo $A; echo warned >&2; exit 3");
  spec.input = std::string(200'000, 'x');
  spec.environment = {"A=b"};
  const auto result = run_process(spec);
  CHECK(result.exit_status == 3);
  CHECK(result.output == spec.input + "b\n");
  CHECK(result.errors == "warned\n");
}

TEST_CASE("a signal shows in the status as a shell shows it") {
  CHECK(run_process(shell("kill -9 $$")).exit_status == 137);
}

TEST_CASE("a program that prints too much is ended") {
  auto spec = shell("yes");
  spec.output_limit = 1000;
  CHECK_THROWS_AS(run_process(spec), Error);
}

TEST_CASE("a program that is not there is named") {
  ProcessSpec spec;
  spec.argv = {"docker-credential-nowhere"};
  CHECK_THROWS_AS(run_process(spec), SysError);
}

TEST_SUITE_END();
