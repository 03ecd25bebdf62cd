#include "step_caches_fixture.hpp"
#include "support/gate.hpp"
#include "support/no_threads.hpp"
#include "util/cancelled.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

using namespace cairn;
using namespace cairn::test;
using Use = StepCaches::Use;

TEST_SUITE_BEGIN("builder/step_caches");

TEST_CASE_FIXTURE(TwoShelves, "a step is put where caches are written to, and can be found there") {
  use(Use::read, Use::read_and_write);
  add('a');
  caches.finish();
  CHECK(near.asked.lines().empty());
  CHECK(far.asked.lines() == Lines{"put a"});
  const auto found = caches.find(key_of('a'));
  REQUIRE(found);
  CHECK(found->config.diff_ids.front() == layer_named("a").diff_id);
  CHECK(found->manifest.layers.front().digest == layer_named("a").digest);
}

TEST_CASE_FIXTURE(TwoShelves, "every place that is written to gets the same entry") {
  write_both();
  add('a');
  caches.finish();
  REQUIRE(near.entries.contains(key_of('a').hex));
  REQUIRE(far.entries.contains(key_of('a').hex));
  CHECK(near.entries.at(key_of('a').hex).raw == far.entries.at(key_of('a').hex).raw);
}

TEST_CASE_FIXTURE(TwoShelves,
                  "caches that are only read drop what is added, and wait for nothing") {
  read_both();
  std::promise<Layer> never;
  caches.add(key_of('a'), std::make_shared<PromisedLayer>(never.get_future()), "RUN");
  caches.finish();
  CHECK(near.asked.lines().empty());
}

TEST_CASE_FIXTURE(TwoShelves, "the build goes on while a step is put, and waits at its end") {
  write_both();
  std::promise<Layer> made;
  caches.add(key_of('a'), std::make_shared<PromisedLayer>(made.get_future()), "RUN");
  Gate gate;
  near.on_put = [&](const StepKey&) { CHECK(gate.pass()); };
  std::jthread later([&] {
    made.set_value(layer_named("a"));
    gate.open();
  });
  caches.finish();
  CHECK(near.asked.lines() == Lines{"put a"});
  CHECK(far.asked.lines() == Lines{"put a"});
}

TEST_CASE_FIXTURE(TwoShelves, "two steps are put at the same time") {
  use(Use::read, Use::read_and_write);
  Meeting meeting;
  far.on_put = [&](const StepKey&) { CHECK(meeting.come()); };
  add('a');
  add('b');
  caches.finish();
  CHECK(far.asked.count("put ") == 2);
}

TEST_CASE_FIXTURE(TwoShelves, "what is not vouched for is put nowhere, and nobody is warned") {
  write_both();
  bool intact = false;
  caches.vouch([&](auto) { return intact; });
  add('a');
  caches.finish();
  CHECK(near.asked.lines().empty());
  CHECK(far.asked.lines().empty());
  CHECK(warnings() == 0);
  intact = true;
  add('b');
  caches.finish();
  CHECK(near.asked.lines() == Lines{"put b"});
}

TEST_CASE_FIXTURE(TwoShelves, "what cannot be vouched for is put nowhere, and the build goes on") {
  write_both();
  int asked = 0;
  caches.vouch([&](auto) -> bool {
    if (++asked == 1)
      throw SysError(EIO, "look at what is unpacked");
    if (asked == 2)
      throw std::runtime_error("no idea");
    return true;
  });
  for (const char key : {'a', 'b', 'c'}) {
    add(key);
    caches.finish();
  }
  CHECK(near.asked.lines() == Lines{"put c"});
  CHECK(far.asked.lines() == Lines{"put c"});
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "a step is vouched for as of the moment when it was made") {
  use(Use::read, Use::read_and_write);
  std::mutex mutex;
  std::vector<StepCaches::Moment> moments;
  caches.vouch([&](StepCaches::Moment moment) {
    const std::lock_guard lock(mutex);
    moments.push_back(moment);
    return true;
  });
  Gate gate;
  far.on_put = [&](const StepKey&) { CHECK(gate.pass()); };
  add('a');
  add('b');
  const auto before = std::chrono::steady_clock::now();
  add('c');
  const auto after = std::chrono::steady_clock::now();
  gate.open();
  caches.finish();
  REQUIRE(moments.size() == 3);
  const auto last = *std::max_element(moments.begin(), moments.end());
  CHECK(last >= before);
  CHECK(last <= after);
}

TEST_CASE_FIXTURE(TwoShelves,
                  "a place that cannot be written is told of once and left alone, others are not") {
  write_both();
  std::atomic<int> asked = 0;
  near.on_put = [&](const StepKey&) {
    ++asked;
    throw Error("it is full");
  };
  for (const char key : {'a', 'b', 'c'}) {
    add(key);
    caches.finish();
  }
  CHECK(asked == 1);
  CHECK(far.asked.lines() == Lines{"put a", "put b", "put c"});
  CHECK(progress.told().count("warn: Nothing more is put into the cache near: it is full") == 1);
  CHECK(warnings() == 1);
}

TEST_CASE_FIXTURE(TwoShelves, "a place that cannot be written is still read") {
  write_both();
  shelve(near, key_of('a'), entry(key_of('a')));
  near.on_put = [](const StepKey&) { throw Error("it is full"); };
  add('b');
  caches.finish();
  CHECK(caches.find(key_of('a')));
}

TEST_CASE_FIXTURE(TwoShelves, "a place that cannot be read is still written") {
  write_both();
  near.on_find = [] { throw Error("it is away"); };
  CHECK_FALSE(caches.find(key_of('a')));
  add('a');
  caches.finish();
  CHECK(near.asked.count("put a") == 1);
}

TEST_CASE_FIXTURE(TwoShelves, "a layer that could not be made is put nowhere, and others are") {
  write_both();
  std::promise<Layer> broken;
  broken.set_exception(std::make_exception_ptr(Error("COPY f /: it is gone")));
  caches.add(key_of('a'), std::make_shared<PromisedLayer>(broken.get_future()), "COPY");
  add('b');
  caches.finish();
  CHECK(near.asked.lines() == Lines{"put b"});
  // The build itself ends with it.
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "a build that is told to stop while a step is put blames no cache") {
  write_both();
  near.on_put = [](const StepKey&) { throw Cancelled("the build was told to stop"); };
  add('a');
  caches.finish();
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "repositories are told of the blobs that were put there") {
  near.repository = ImageRef::parse("r.example/near");
  far.repository = ImageRef::parse("r.example/far");
  write_both();
  far.on_put = [](const StepKey& key) {
    if (key == key_of('b'))
      throw Error("it is full");
  };
  for (const char key : {'a', 'b'}) {
    add(key);
    caches.finish();
  }
  const std::map<Digest, std::vector<ImageRef>> expected = {
      {layer_named("a").digest, {*near.repository, *far.repository}},
      {layer_named("b").digest, {*near.repository}}};
  CHECK(caches.holders() == expected);
}

TEST_CASE_FIXTURE(TwoShelves, "where blobs cannot be mounted from, nobody is told to try") {
  far.repository = ImageRef::parse("r.example/far");
  use(Use::read_and_write, Use::read);
  add('a');
  caches.finish();
  CHECK(caches.holders().empty());
}

TEST_CASE_FIXTURE(TwoShelves, "a build that ends early waits for what is being put alone") {
  Meeting begun;
  Gate both;
  Gate dropped;
  near.on_put = [&](const StepKey&) {
    CHECK(begun.come());
    both.open();
    CHECK(dropped.pass());
  };
  {
    StepCaches ending(rule, progress);
    ending.use(std::make_unique<ShelfCache>(near), Use::read_and_write);
    ending.add(key_of('a'), layer("a"), "RUN a");
    ending.add(key_of('b'), layer("b"), "RUN b");
    CHECK(both.pass());
    const auto third = layer("c");
    ending.add(key_of('c'), {third.get(), [&dropped, third](const StageLayer*) { dropped.open(); }},
               "RUN c");
  }
  CHECK(near.asked.count("put a") + near.asked.count("put b") == 2);
  CHECK(near.asked.count("put c") == 0);
}

TEST_CASE_FIXTURE(TwoShelves, "where no thread can be had nothing is put, which is told of once") {
  {
    const NoThreads none;
    use(Use::read_and_write, Use::read);
  }
  add('a');
  caches.finish();
  CHECK(near.asked.lines().empty());
  CHECK(progress.told().lines() ==
        Lines{"warn: Nothing is put into the cache: there can be no further thread"});
}

TEST_SUITE_END();
