#include "builder/plan/plan_limits.hpp"
#include "language_plan.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/plan limits");

namespace {

std::string repeated(const std::string& line, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += line;
  return text;
}

/// The first line of the message.
std::string refusal(const std::string& text) {
  const auto error = language_error(text);
  return error.substr(0, error.find('\n'));
}

/// "ENV A=" and a value of `size` bytes, on lines that are not too long.
std::string long_variable(std::size_t size) {
  std::string text = "ENV A=";
  for (; size > 50'000; size -= 50'000)
    text += std::string(50'000, 'x') + "\\\n";
  return text + std::string(size, 'x') + "\n";
}

/// A stage with a variable A of 64 KiB.
const std::string& with_large_variable() {
  static const std::string text = "FROM scratch\nARG A=x\n" + repeated("ARG A=$A$A\n", 16);
  return text;
}

} // namespace

TEST_CASE("a variable that doubles and doubles is an error with its line") {
  const std::string error = "the variable A would have 131075 bytes, and no command can be started "
                            "with one of more than 131072";
  for (const std::string name : {"ENV", "ARG"})
    CHECK(refusal("FROM scratch\n" + name + " A=x\n" + repeated(name + " A=$A$A\n", 40)) ==
          "Dockerfile:19: " + error);
  CHECK(refusal("ARG A=x\n" + repeated("ARG A=$A$A\n", 40) + "FROM scratch\n") ==
        "Dockerfile:18: " + error);
  CHECK(refusal("FROM scratch AS a\nENV A=x\n" + repeated("ENV A=$A$A\n", 16) +
                "FROM a\nENV B=$A\nENV C=$A$B\n")
            .starts_with("Dockerfile:21: the variable C would have"));
}

TEST_CASE("the longest variable that a command can be started with is none too many") {
  constexpr std::size_t most = 131'072 - 3; // "A=" and a NUL
  CHECK(refusal("FROM scratch\n" + long_variable(most)).empty());
  CHECK(refusal("FROM scratch\n" + long_variable(most + 1))
            .starts_with("Dockerfile:2: the variable A would have 131073 bytes"));
}

TEST_CASE("all variables together are held to what a command can be started with") {
  auto text = with_large_variable();
  for (int i = 0; i < 40; ++i)
    text += "ENV B" + std::to_string(i) + "=$A\n";
  CHECK(refusal(text).starts_with("Dockerfile:49: all variables together would have"));
}

TEST_CASE("labels, commands and names do not grow without limits either") {
  const auto long_word = repeated("$A", 20);
  for (const std::string line : {"LABEL l=", "USER ", "WORKDIR /", "VOLUME "})
    CHECK(refusal(with_large_variable() + repeated(line + long_word + "\n", 20))
              .ends_with("the history of the image would have more than 8388608 bytes, as much as "
                         "a configuration may have"));
  CHECK(refusal(with_large_variable() + repeated("COPY <<EOF /f\n" + long_word + "\nEOF\n", 300))
            .ends_with("the steps up to here take more than 268435456 bytes once their variables "
                       "are expanded"));
  CHECK(refusal(with_large_variable() + "LABEL l=" + repeated("$A", 300))
            .ends_with("it becomes longer than 16777216 bytes"));
}

TEST_CASE("planning ends when the program is told to end") {
  const std::atomic<bool> cancel = true;
  PlanOptions options;
  options.cancel = &cancel;
  CHECK_THROWS_WITH_AS(language_plan("FROM scratch\nENV A=b", {}, options),
                       "the build was told to stop", Cancelled);
}

TEST_CASE("the time for a plan grows with its Dockerfile and not with its square") {
  std::string arguments = "FROM x\n";
  std::string labels = "FROM x\n";
  std::string stages = "FROM x AS s0\n";
  for (int i = 0; i < 50'000; ++i) {
    arguments += "ARG a" + std::to_string(i) + "=$b\n";
    labels += "LABEL l" + std::to_string(i) + "=$PATH\n";
  }
  for (int i = 1; i < 10'000; ++i)
    stages += "FROM s" + std::to_string(i - 1) + " AS s" + std::to_string(i) + "\n";
  CHECK(refusal(arguments + "RUN x").empty());
  CHECK(refusal(labels).empty());
  CHECK(refusal(stages).empty());
}

TEST_SUITE_END();
