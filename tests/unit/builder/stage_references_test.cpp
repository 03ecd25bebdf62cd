#include "builder/plan/stage_references.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("builder/references");

namespace {

/// The instruction of stage 0 is on line 1.
std::vector<std::vector<StageEdge>> edges(const std::vector<std::vector<std::size_t>>& targets) {
  std::vector<std::vector<StageEdge>> all;
  for (const auto& stage : targets) {
    const int line = static_cast<int>(all.size()) + 1;
    all.emplace_back();
    for (const auto target : stage)
      all.back().push_back({target, {line, line}});
  }
  return all;
}

} // namespace

TEST_CASE("stages that need each other are found, with an instruction that closes the circle") {
  CHECK_FALSE(find_circle({}));
  CHECK_FALSE(find_circle(edges({{}, {0}, {0, 1}, {1, 2}})));
  CHECK(find_circle(edges({{0}}))->stage == 0);
  const auto circle = find_circle(edges({{}, {3}, {1}, {0, 2}}));
  CHECK(circle->stage == 1);
  CHECK(circle->range.first == 3);
}

TEST_CASE("any number of stages can be in a row") {
  std::vector<std::vector<std::size_t>> row(200'000);
  for (std::size_t stage = 1; stage < row.size(); ++stage)
    row[stage - 1] = {stage};
  CHECK_FALSE(find_circle(edges(row)));
  row.back() = {0};
  CHECK(find_circle(edges(row)));
}

TEST_CASE("a stage's number may have a sign and zeros in front") {
  for (const auto* text : {"7", "+7", "007"})
    CHECK(stage_number(text) == 7);
  for (const auto* text : {"", "+", "-7", "7a", "a7", "++7"}) {
    CAPTURE(text);
    CHECK_FALSE(stage_number(text));
  }
}
