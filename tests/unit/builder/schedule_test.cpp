#include "builder/execute/schedule.hpp"
#include "language_plan.hpp"
#include "step_caches_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/schedule");

namespace {

using StageList = std::vector<std::size_t>;

/// Keys 'a', 'b', … for the steps that make layers, in the order in which they are written.
std::vector<StageKeys> lettered(const Plan& plan) {
  std::vector<StageKeys> keys;
  char letter = 'a';
  for (const auto& stage : plan.stages) {
    auto& own = keys.emplace_back();
    for (const auto& step : stage.steps) {
      auto& key = own.steps.emplace_back();
      const auto* copy = std::get_if<CopyAction>(&step.action);
      if (!std::holds_alternative<ConfigAction>(step.action))
        key = KeyedStep{key_of(letter++), copy != nullptr && copy->link ? DependsOn::itself
                                                                        : DependsOn::steps_before};
    }
  }
  return keys;
}

/// The schedule of a Dockerfile when a cache has the steps of some letters.
struct Lookup : TwoShelves {
  const Schedule& look_up(const std::string& text, const std::string& found) {
    caches.use(std::make_unique<ShelfCache>(near), StepCaches::Use::read);
    for (const char letter : found)
      shelve(near, key_of(letter), entry(key_of(letter)));
    plan = language_plan(text);
    schedule = cached_schedule(plan, lettered(plan), caches, options);
    return schedule;
  }

  /// The letters of the steps that are taken from the cache.
  std::string taken() const {
    std::string letters;
    for (const auto& stage : schedule.stages)
      for (const auto& step : stage.steps)
        if (step.cached)
          letters += step.key->hex.front();
    return letters;
  }
  StageList needed() const {
    StageList stages;
    for (std::size_t i = 0; i < schedule.stages.size(); ++i)
      if (schedule.stages[i].needed)
        stages.push_back(i);
    return stages;
  }

  CacheOptions options;
  Plan plan;
  Schedule schedule;
};

} // namespace

TEST_CASE("a stage comes after what it begins with, copies from and mounts, each told of once") {
  const auto plan = language_plan("FROM scratch AS base\nRUN one\n"
                                  "FROM scratch AS tools\nRUN two\n"
                                  "FROM scratch AS files\nRUN three\n"
                                  "FROM base\nCOPY --from=files /a /\nCOPY --from=files /b /\n"
                                  "COPY --from=base /c /\n"
                                  "RUN --mount=from=tools,target=/tools use\n");
  const auto schedule = whole_schedule(plan);
  REQUIRE(schedule.stages.size() == 4);
  CHECK(schedule.stages[0].dependencies.empty());
  CHECK(schedule.stages[3].dependencies == StageList{0, 1, 2});
  for (std::size_t stage = 0; stage < 4; ++stage) {
    CHECK(schedule.stages[stage].needed);
    for (std::size_t step = 0; step < plan.stages[stage].steps.size(); ++step)
      CHECK_FALSE(schedule.is_cached(stage, step));
  }
}

TEST_CASE("the stages that were asked for are built, with what they need and nothing else") {
  auto plan = language_plan("FROM scratch AS a\nRUN one\nFROM scratch AS b\nRUN two\n"
                            "FROM a AS c\nRUN three\nFROM scratch\nCOPY --from=b / /\n"
                            "COPY --from=c / /\n");
  const auto needs = [&](const StageList& targets) {
    plan.targets = targets;
    StageList needed;
    const auto schedule = whole_schedule(plan);
    for (std::size_t i = 0; i < schedule.stages.size(); ++i)
      if (schedule.stages[i].needed)
        needed.push_back(i);
    return needed;
  };
  CHECK(needs({1}) == StageList{1});
  CHECK(needs({2}) == StageList{0, 2});
  CHECK(needs({1, 2}) == StageList{0, 1, 2});
  CHECK(needs({3}) == StageList{0, 1, 2, 3});
}

TEST_CASE_FIXTURE(Lookup, "every step that makes a layer is looked up once, and no other") {
  look_up("FROM scratch AS a\nENV A=b\nRUN one\nFROM a\nWORKDIR /w\nCOPY --from=a / /\nCMD c\n",
          "");
  auto asked = near.asked.lines();
  std::sort(asked.begin(), asked.end());
  CHECK(asked == Lines{"find a", "find b", "find c"});
  CHECK(taken().empty());
}

TEST_CASE_FIXTURE(Lookup, "a step has the key that it is put under, found or not") {
  look_up("FROM scratch\nRUN one\nENV A=b\nRUN two\n", "a");
  const auto& steps = schedule.stages[0].steps;
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].key == key_of('a'));
  CHECK(steps[0].cached);
  CHECK_FALSE(steps[1].key);
  CHECK(steps[2].key == key_of('b'));
  CHECK_FALSE(steps[2].cached);
}

TEST_CASE_FIXTURE(Lookup, "a stage that only steps that are found would read is not needed") {
  look_up("FROM scratch AS tools\nRUN one\nFROM scratch\nCOPY --from=tools / /\n", "b");
  CHECK(taken() == "b");
  CHECK(needed() == StageList{1});
  CHECK(schedule.stages[1].dependencies.empty());
}

TEST_CASE_FIXTURE(Lookup, "a stage that one step still reads is needed, though another is found") {
  look_up("FROM scratch AS tools\nRUN one\n"
          "FROM scratch\nCOPY --from=tools /a /\nCOPY --from=tools /b /\n",
          "ab");
  CHECK(taken() == "ab");
  CHECK(needed() == StageList{0, 1});
  CHECK(schedule.stages[1].dependencies == StageList{0});
}

TEST_CASE_FIXTURE(Lookup, "what a stage begins with is needed for its layers, found or not") {
  look_up("FROM scratch AS base\nRUN one\nFROM base\nRUN two\n", "ab");
  CHECK(taken() == "ab");
  CHECK(needed() == StageList{0, 1});
  CHECK_FALSE(schedule.runs_commands(plan));
}

TEST_CASE("above a command that is run again only layers that stand alone are taken") {
  struct Row {
    const char* why;
    const char* text;
    const char* found;
    const char* taken;
  };
  const Row rows[] = {
      {"all are there", "FROM scratch\nRUN a\nRUN b\nRUN c\n", "abc", "abc"},
      {"the last is new", "FROM scratch\nRUN a\nRUN b\nRUN c\n", "ab", "ab"},
      {"one in the middle is", "FROM scratch\nRUN a\nRUN b\nRUN c\n", "ac", "a"},
      {"so are files above it", "FROM scratch\nRUN a\nCOPY f /\nWORKDIR /w\n", "bc", ""},
      {"but not linked ones", "FROM scratch\nRUN a\nCOPY --link f /\nRUN c\n", "bc", "b"},
      {"files that are made again are the same", "FROM scratch\nCOPY f /\nRUN b\n", "b", "b"},
      {"settings are nothing to look for", "FROM scratch\nENV A=b\nRUN a\n", "a", "a"},
      {"a stage on top of it", "FROM scratch AS s\nRUN a\nFROM s\nCOPY f /\nRUN c\n", "bc", ""},
      {"one on top of that", "FROM scratch AS s\nRUN a\nFROM s AS t\nFROM t\nRUN b\n", "b", ""},
      {"a stage beside it", "FROM scratch AS s\nRUN a\nFROM scratch\nRUN b\nCOPY --from=s / /\n",
       "b", "b"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Lookup lookup;
    lookup.look_up(row.text, row.found);
    CHECK(lookup.taken() == row.taken);
  }
}

TEST_CASE_FIXTURE(Lookup, "layers of commands that are not to be kept are neither sought nor put") {
  options.run_layers = false;
  look_up("FROM scratch\nCOPY f /\nRUN one\nCOPY --link g /\n", "abc");
  CHECK(near.asked.count("find b") == 0);
  CHECK(taken() == "ac");
  CHECK_FALSE(schedule.stages[0].steps[1].key);
}

TEST_CASE_FIXTURE(Lookup, "layers of files that are not to be kept are neither sought nor put") {
  options.copy_layers = false;
  look_up("FROM scratch\nCOPY f /\nWORKDIR /w\nRUN one\n", "abc");
  CHECK(near.asked.lines() == Lines{"find c"});
  CHECK(taken() == "c");
  CHECK_FALSE(schedule.stages[0].steps[0].key);
  CHECK_FALSE(schedule.stages[0].steps[1].key);
}

TEST_CASE("commands are run where a needed stage has one that was not found") {
  struct Row {
    const char* text;
    const char* found;
    bool runs;
  };
  const Row rows[] = {
      {"FROM scratch\nCOPY f /\n", "", false},
      {"FROM scratch\nRUN a\n", "", true},
      {"FROM scratch\nRUN a\n", "a", false},
      {"FROM scratch\nRUN a\nRUN b\n", "a", true},
      {"FROM scratch AS s\nRUN a\nFROM scratch\nCOPY --from=s / /\n", "", true},
      {"FROM scratch AS s\nRUN a\nFROM scratch\nCOPY --from=s / /\n", "b", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CAPTURE(row.found);
    Lookup lookup;
    CHECK(lookup.look_up(row.text, row.found).runs_commands(lookup.plan) == row.runs);
  }
}

TEST_SUITE_END();
