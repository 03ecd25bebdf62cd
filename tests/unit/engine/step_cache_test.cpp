#include "engine.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;
using Lines = std::vector<std::string>;

TEST_SUITE_BEGIN("engine/step cache");

namespace {

struct CachingEngine : Engine {
  CachingEngine() {
    use_cache();
    commands["one"].makes = {{"1", "first"}};
    commands["two"].makes = {{"2", "second"}};
  }

  /// Builds, and forgets how that went.
  Digest before(const std::string& dockerfile) {
    auto digest = build(dockerfile).digest;
    journal.clear();
    progress.told().clear();
    registry.forget_lines();
    return digest;
  }
  /// The blob of a layer of what was pushed.
  Digest layer(std::size_t number) const { return image().manifest.layers.at(number).digest; }
};

} // namespace

TEST_CASE_FIXTURE(CachingEngine, "a step that is found is not run") {
  before("FROM scratch\nRUN one\n");
  build("FROM scratch\nRUN one\n");
  CHECK(ran().empty());
  CHECK(image().layers == std::vector<Files>{{{"1", "first"}}});
}

TEST_CASE_FIXTURE(CachingEngine,
                  "a build whose steps are all found needs no root and no isolation") {
  before("FROM scratch\nRUN one\nRUN two\n");
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(journal.lines().empty());
}

TEST_CASE_FIXTURE(CachingEngine, "a build whose steps are all found is the same image") {
  const auto digest = before("FROM scratch\nRUN one\nRUN two\n");
  CHECK(build("FROM scratch\nRUN one\nRUN two\n").digest == digest);
}

TEST_CASE_FIXTURE(CachingEngine, "what comes after a new command is run again") {
  before("FROM scratch\nRUN one\nRUN two\n");
  build("FROM scratch\nRUN new\nRUN two\n");
  CHECK(ran() == Lines{"new", "two"});
}

TEST_CASE_FIXTURE(CachingEngine, "a command above others that are found is run on top of them") {
  before("FROM scratch\nRUN one\n");
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(journal.lines() == Lines{"probe", "root", "apply 1", "run two", "end two", "commit"});
}

TEST_CASE_FIXTURE(CachingEngine,
                  "a command is not taken when the files that it sees have changed") {
  write("f", "old");
  before("FROM scratch\nCOPY f /\nRUN one\n");
  write("f", "new");
  build("FROM scratch\nCOPY f /\nRUN one\n");
  CHECK(ran() == Lines{"one"});
}

TEST_CASE_FIXTURE(CachingEngine,
                  "a linked COPY stands alone and is taken above a command run again") {
  write("f", "text");
  before("FROM scratch\nRUN one\nCOPY --link f /\n");
  options.cache.run_layers = false;
  build("FROM scratch\nRUN one\nCOPY --link f /\n");
  CHECK(ran() == Lines{"one"});
  CHECK(progress.told().count("step: COPY --link f /: cached") == 1);
}

TEST_CASE_FIXTURE(CachingEngine, "a plain COPY is not taken above a command that is run again") {
  write("f", "text");
  before("FROM scratch\nRUN one\nCOPY f /\n");
  options.cache.run_layers = false;
  build("FROM scratch\nRUN one\nCOPY f /\n");
  CHECK(ran() == Lines{"one"});
  CHECK(progress.told().count("step: COPY f /: cached") == 0);
}

TEST_CASE_FIXTURE(CachingEngine, "a linked COPY is taken above another command") {
  write("f", "text");
  before("FROM scratch\nRUN one\nCOPY --link f /\n");
  build("FROM scratch\nRUN new\nCOPY --link f /\n");
  CHECK(progress.told().count("step: COPY --link f /: cached") == 1);
}

TEST_CASE_FIXTURE(CachingEngine, "a stage that only steps that are found would read is not built") {
  const std::string text =
      "FROM scratch AS tools\nRUN one\nFROM scratch\nCOPY --from=tools / /t/\n";
  before(text);
  options.cache.run_layers = false;
  build(text);
  CHECK(ran().empty());
}

TEST_CASE_FIXTURE(CachingEngine, "commands are run again where their layers are not to be kept") {
  options.cache.run_layers = false;
  before("FROM scratch\nRUN one\n");
  build("FROM scratch\nRUN one\n");
  CHECK(ran() == Lines{"one"});
}

TEST_CASE_FIXTURE(CachingEngine, "an entry that is too old by the clock is not taken") {
  before("FROM scratch\nRUN one\n");
  now += options.cache.time_to_live;
  build("FROM scratch\nRUN one\n");
  CHECK(ran() == Lines{"one"});
}

TEST_CASE_FIXTURE(CachingEngine, "nothing is put where a build may only read") {
  options.cache.push = false;
  build("FROM scratch\nRUN one\n");
  CHECK(registry.count("PUT", "app/cache") == 0);
}

TEST_CASE_FIXTURE(CachingEngine, "a layer that is found and not needed for a root is not fetched") {
  before("FROM scratch\nRUN one\n");
  build("FROM scratch\nRUN one\n");
  CHECK(registry.count("GET", "app/cache/blobs") == 0);
}

TEST_CASE_FIXTURE(CachingEngine, "a layer that has gone is made again, and the image is right") {
  const auto digest = before("FROM scratch\nRUN one\nRUN two\n");
  const auto layers = image().layers;
  registry.lose(layer(0));
  commands["three"].makes = {{"3", "third"}};
  build("FROM scratch\nRUN one\nRUN three\n");
  CHECK(ran() == Lines{"one", "three"});
  CHECK(image().layers == std::vector<Files>{{{"1", "first"}}, {{"3", "third"}}});
  registry.heal();
  CHECK(build("FROM scratch\nRUN one\nRUN two\n").digest == digest);
}

TEST_CASE_FIXTURE(CachingEngine, "a layer that is damaged is made again, and the user is told") {
  before("FROM scratch\nRUN one\n");
  const auto lost = layer(0);
  registry.damage(lost);
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(ran() == Lines{"one", "two"});
  CHECK(image().layers == std::vector<Files>{{{"1", "first"}}, {{"2", "second"}}});
  std::size_t told = 0;
  for (const auto& line : progress.told().lines())
    told += line.starts_with("warn: ") && line.ends_with("; the build begins again without it");
  CHECK(told == 1);
}

TEST_CASE_FIXTURE(CachingEngine, "a cache that cannot be read is told of once and left alone") {
  before("FROM scratch\nRUN one\nRUN two\n");
  registry.refuse("GET", "app/cache/manifests", 403);
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(warnings("Nothing is taken from the cache") == 1);
  CHECK(ran() == Lines{"one", "two"});
}

TEST_CASE_FIXTURE(CachingEngine,
                  "a cache that cannot be written fails no build and is told of once") {
  registry.refuse("PUT", "app/cache/manifests", 403);
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(warnings("Nothing more is put into the cache") == 1);
  CHECK(is_pushed());
}

TEST_SUITE_END();
