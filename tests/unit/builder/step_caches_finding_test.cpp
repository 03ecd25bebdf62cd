#include "step_caches_fixture.hpp"
#include "util/cancelled.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/step_caches");

namespace {

/// Reads the layer of an entry to its end.
void read_layer_of(const BaseImage& entry) {
  (void)read_all(*entry.open(entry.manifest.layers.front()), 100);
}

Manifest with_annotations(const Manifest& manifest, Annotations annotations) {
  return Manifest::make(ImageFormat::oci, manifest.config, manifest.layers, std::move(annotations));
}

Manifest with_annotation(const Manifest& manifest, const std::string& name,
                         const std::string& value) {
  auto annotations = manifest.annotations;
  annotations[name] = value;
  return with_annotations(manifest, std::move(annotations));
}

Manifest without_annotation(const Manifest& manifest, const std::string& name) {
  auto annotations = manifest.annotations;
  REQUIRE(annotations.erase(name) == 1);
  return with_annotations(manifest, std::move(annotations));
}

} // namespace

TEST_CASE_FIXTURE(TwoShelves, "a layer is taken from the first place that has it") {
  read_both();
  shelve(near, key_of('a'), entry(key_of('a')));
  shelve(far, key_of('a'), entry(key_of('a')));
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  CHECK(found->config.diff_ids == std::vector{Digest::of("layer")});
  read_layer_of(*found);
  CHECK(near.asked.lines() == Lines{"find a", "open a"});
  CHECK(far.asked.lines().empty());
}

TEST_CASE_FIXTURE(TwoShelves, "a place that lacks a layer lets the next one be asked") {
  read_both();
  shelve(far, key_of('a'), entry(key_of('a')));
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  read_layer_of(*found);
  CHECK(near.asked.lines() == Lines{"find a"});
  CHECK(far.asked.lines() == Lines{"find a", "open a"});
}

TEST_CASE_FIXTURE(TwoShelves, "what no place has is not found, which is no fault of theirs") {
  read_both();
  CHECK_FALSE(caches.find(key_of('a')));
  CHECK_FALSE(caches.find(key_of('b')));
  CHECK(far.asked.lines() == Lines{"find a", "find b"});
  CHECK(warnings() == 0);
  CHECK(caches.lost() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "an entry that says it is of another step is a miss") {
  read_both();
  shelve(near, key_of('a'), entry(key_of('b')));
  CHECK_FALSE(caches.find(key_of('a')));
  CHECK(far.asked.lines() == Lines{"find a"});
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "an entry that does not say which step it is of is a miss") {
  read_both();
  shelve(near, key_of('a'), without_annotation(entry(key_of('a')), "dev.cairn.step.key"));
  CHECK_FALSE(caches.find(key_of('a')));
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "an entry is taken until its time to live is over, and not then") {
  read_both();
  auto made_by = rule;
  made_by.now = rule.now - rule.time_to_live + std::chrono::seconds(1);
  shelve(near, key_of('a'), entry(key_of('a'), made_by));
  made_by.now = rule.now - rule.time_to_live;
  shelve(near, key_of('b'), entry(key_of('b'), made_by));
  CHECK(caches.find(key_of('a')));
  CHECK_FALSE(caches.find(key_of('b')));
  CHECK(warnings() == 0);
}

TEST_CASE("a build with an epoch takes layers whose files cannot be newer") {
  struct Row {
    const char* why;
    std::optional<Time> made_with;
    bool reproducible;
    bool taken;
  };
  const auto epoch = from_unix(1'000'000);
  const Row rows[] = {
      {"the same epoch", epoch, false, true},
      {"an earlier one", epoch - std::chrono::seconds(1), false, true},
      {"a later one", epoch + std::chrono::seconds(1), false, false},
      {"none: files have the times at which they were made", std::nullopt, false, false},
      {"none, but this build gives all files its own times", std::nullopt, true, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    TwoShelves shelves({std::chrono::hours(1), from_unix(1'800'000'000), epoch, row.reproducible});
    shelves.read_both();
    auto made_by = shelves.rule;
    made_by.epoch = row.made_with;
    shelves.shelve(shelves.near, key_of('a'), shelves.entry(key_of('a'), made_by));
    CHECK((shelves.caches.find(key_of('a')) != nullptr) == row.taken);
  }
}

TEST_CASE("a place that holds nonsense is told of once, and left alone") {
  struct Row {
    const char* what;
    std::function<Manifest(const Manifest&)> spoil;
  };
  const Row rows[] = {
      {"an image of two layers",
       [](const Manifest& entry) {
         return Manifest::make(ImageFormat::oci, entry.config,
                               {entry.layers.front(), entry.layers.front()}, entry.annotations);
       }},
      {"an image without a layer",
       [](const Manifest& entry) {
         return Manifest::make(ImageFormat::oci, entry.config, {}, entry.annotations);
       }},
      {"no time",
       [](const Manifest& entry) {
         return without_annotation(entry, "org.opencontainers.image.created");
       }},
      {"a time that is none",
       [](const Manifest& entry) {
         return with_annotation(entry, "org.opencontainers.image.created", "yesterday");
       }},
      {"no diff id",
       [](const Manifest& entry) { return without_annotation(entry, "dev.cairn.step.diff-id"); }},
      {"a diff id that is none",
       [](const Manifest& entry) {
         return with_annotation(entry, "dev.cairn.step.diff-id", "sha256:short");
       }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    TwoShelves shelves;
    shelves.read_both();
    shelves.shelve(shelves.near, key_of('a'), row.spoil(shelves.entry(key_of('a'))));
    shelves.shelve(shelves.far, key_of('a'), shelves.entry(key_of('a')));
    CHECK(shelves.caches.find(key_of('a')));
    CHECK_FALSE(shelves.caches.find(key_of('b')));
    CHECK(shelves.near.asked.lines() == Lines{"find a"});
    CHECK(shelves.progress.told().count("warn: Nothing is taken from the cache near: near:" +
                                        key_of('a').hex) == 1);
    CHECK(shelves.warnings() == 1);
  }
}

TEST_CASE_FIXTURE(TwoShelves, "a place that cannot be asked is told of once, and left alone") {
  read_both();
  near.on_find = [] { throw TemporaryError("it is away"); };
  shelve(far, key_of('a'), entry(key_of('a')));
  CHECK(caches.find(key_of('a')));
  CHECK(caches.find(key_of('a')));
  CHECK(near.asked.lines() == Lines{"find a"});
  CHECK(progress.told().lines() == Lines{"warn: Nothing is taken from the cache near: it is away"});
}

TEST_CASE_FIXTURE(TwoShelves, "a layer that cannot be opened is lost: found only elsewhere again") {
  read_both();
  for (auto* shelf : {&near, &far})
    shelve(*shelf, key_of('a'), entry(key_of('a')));
  near.on_open = [] { throw Error("it is gone"); };
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  CHECK_THROWS_WITH_AS(read_layer_of(*found), "it is gone", Error);
  CHECK(caches.lost() == 1);
  const auto other = caches.find(key_of('a'));
  REQUIRE(other);
  read_layer_of(*other);
  CHECK(near.asked.count("find a") == 1);
  CHECK(far.asked.lines() == Lines{"find a", "open a"});
}

TEST_CASE_FIXTURE(TwoShelves,
                  "a layer that turns out to be damaged as it is read is lost as well") {
  read_both();
  shelve(near, key_of('a'), entry(key_of('a')));
  shelve(near, key_of('b'), entry(key_of('b')));
  near.on_read = [] { throw Error("it is damaged"); };
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  CHECK_THROWS_WITH_AS(read_layer_of(*found), "it is damaged", Error);
  CHECK(caches.lost() == 1);
  CHECK_FALSE(caches.find(key_of('a')));
  CHECK(caches.find(key_of('b')));
}

TEST_CASE_FIXTURE(TwoShelves, "a layer is lost once in each place, however often it is read") {
  read_both();
  for (auto* shelf : {&near, &far}) {
    shelve(*shelf, key_of('a'), entry(key_of('a')));
    shelf->on_read = [] { throw Error("it is damaged"); };
  }
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  CHECK_THROWS_AS(read_layer_of(*found), Error);
  CHECK_THROWS_AS(read_layer_of(*found), Error);
  CHECK(caches.lost() == 1);
  CHECK_THROWS_AS(read_layer_of(*caches.find(key_of('a'))), Error);
  CHECK(caches.lost() == 2);
  CHECK_FALSE(caches.find(key_of('a')));
}

TEST_CASE_FIXTURE(TwoShelves, "what a lost layer ends with is nothing that a second try mends") {
  read_both();
  shelve(near, key_of('a'), entry(key_of('a')));
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  const auto fail = [] { throw TemporaryError("it is away"); };
  for (auto* when : {&near.on_open, &near.on_read}) {
    *when = fail;
    try {
      read_layer_of(*found);
      FAIL("it was read");
    } catch (const Error& error) {
      CHECK(error.exit_status() == 1);
    }
    *when = [] {};
  }
}

TEST_CASE_FIXTURE(TwoShelves, "a build that is told to stop blames no cache") {
  read_both();
  shelve(near, key_of('a'), entry(key_of('a')));
  const auto stop = [] { throw Cancelled("the build was told to stop"); };
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  near.on_read = stop;
  CHECK_THROWS_AS(read_layer_of(*found), Cancelled);
  near.on_open = stop;
  CHECK_THROWS_AS(read_layer_of(*found), Cancelled);
  near.on_find = stop;
  CHECK_THROWS_AS(caches.find(key_of('a')), Cancelled);
  CHECK(caches.lost() == 0);
  near.on_find = [] {};
  CHECK(caches.find(key_of('a')));
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "caches that are to find nothing more are not asked, only filled") {
  write_both();
  shelve(near, key_of('a'), entry(key_of('a')));
  CHECK(caches.find(key_of('a')));
  caches.stop_finding();
  CHECK_FALSE(caches.find(key_of('a')));
  add('b');
  caches.finish();
  CHECK(near.asked.lines() == Lines{"find a", "put b"});
  CHECK(far.asked.lines() == Lines{"put b"});
}

TEST_SUITE_END();
