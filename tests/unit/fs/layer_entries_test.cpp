#include "errors.hpp"
#include "fs/archive/layer_entries.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/layer_entries");

namespace {

std::string random_path(std::mt19937& random) {
  std::string path = "/";
  for (auto depth = random() % 6; depth > 0; --depth)
    path += std::string(1 + random() % 3, static_cast<char>('a' + random() % 3)) + "/";
  return path;
}

LayerEntry random_entry(std::mt19937& random) {
  LayerEntry entry;
  entry.path = RootedPath::parse(random_path(random));
  auto& meta = entry.meta;
  meta.type = static_cast<FileType>(random() % 6);
  meta.mode = static_cast<std::uint32_t>(random() % 4);
  meta.uid = static_cast<std::uint32_t>(random() % 3);
  meta.gid = static_cast<std::uint32_t>(random());
  meta.mtime = Time(std::chrono::nanoseconds(static_cast<std::int64_t>(random()) - (1LL << 31)));
  if (meta.type == FileType::regular)
    meta.size = std::uint64_t{random()} << (random() % 32);
  if (meta.type == FileType::symlink)
    meta.link_target = std::string(random() % 300, 't');
  if (meta.type == FileType::char_device)
    meta.device_minor = static_cast<std::uint32_t>(random());
  if (random() % 4 == 0)
    meta.xattrs = {{"user.x", std::to_string(random() % 2)}};
  if (random() % 4 == 0)
    entry.hard_link = RootedPath::parse(random_path(random));
  return entry;
}

bool same(const LayerEntry& a, const LayerEntry& b) {
  return a.path == b.path && a.meta == b.meta && a.hard_link == b.hard_link;
}

LayerEntry named(std::string_view path) {
  LayerEntry entry;
  entry.path = RootedPath::parse(path);
  return entry;
}

std::string paths(const LayerEntries& entries) {
  std::string out;
  for (const auto& entry : entries)
    out += entry.path.str() + " ";
  return out;
}

} // namespace

TEST_CASE("entries of any kind and order come out as they went in") {
  std::mt19937 random(11);
  std::vector<LayerEntry> model;
  for (int i = 0; i < 5000; ++i)
    model.push_back(random_entry(random));
  const LayerEntries entries = model;
  REQUIRE(entries.size() == model.size());
  std::size_t n = 0;
  for (const auto& entry : entries)
    REQUIRE(same(entry, model[n++]));
  for (int i = 0; i < 1000; ++i) {
    const auto at = random() % model.size();
    REQUIRE(same(entries[at], model[at]));
    REQUIRE(entries.path(at) == model[at].path);
    REQUIRE(entries.name(at) == model[at].path.name());
  }
  CHECK(same(entries.front(), model.front()));
  CHECK(same(entries.back(), model.back()));
}

TEST_CASE("there is no entry behind the last one") {
  const LayerEntries entries{named("a")};
  CHECK(entries.at(0).path.str() == "/a");
  CHECK(error_of([&] { entries.at(1); }) == "there are 1 entries, and none with the number 1");
  CHECK(LayerEntries().empty());
}

TEST_CASE("copies of a list share it until one of them changes") {
  LayerEntries one{named("a"), named("d/b")};
  const auto two = one;
  auto three = one;
  one.push_back(named("d/one"));
  three.push_back(named("d/three"));
  CHECK(paths(one) == "/a /d/b /d/one ");
  CHECK(paths(two) == "/a /d/b ");
  CHECK(paths(three) == "/a /d/b /d/three ");
}

TEST_CASE("an entry is put between others") {
  LayerEntries entries{named("a"), named("c")};
  entries.insert(1, named("b"));
  entries.insert(0, named("/"));
  entries.insert(4, named("d"));
  CHECK(paths(entries) == "/ /a /b /c /d ");
}

TEST_CASE("names longer than a block are kept whole") {
  LayerEntries entries;
  std::vector<LayerEntry> model;
  for (const std::size_t size : {1U, 127U, 128U, 511U, 512U, 65'535U, 65'536U, 200'000U, 3U}) {
    model.push_back(named(std::string(size, 'n') + "/" + std::string(size, 'm')));
    entries.push_back(model.back());
  }
  for (std::size_t i = 0; i < model.size(); ++i)
    CHECK(entries[i].path == model[i].path);
}

TEST_CASE("copies are changed in threads of their own") {
  LayerEntries shared;
  for (int i = 0; i < 1000; ++i)
    shared.push_back(named("d/" + std::to_string(i)));
  std::vector<LayerEntries> copies(4, shared);
  {
    std::vector<std::jthread> threads;
    for (auto& copy : copies)
      threads.emplace_back([&copy] {
        for (int i = 0; i < 1000; ++i)
          copy.push_back(named("e/" + std::to_string(i)));
      });
  }
  for (const auto& copy : copies) {
    CHECK(copy.size() == 2000);
    CHECK(copy.path(1500).str() == "/e/500");
  }
  CHECK(shared.size() == 1000);
}
