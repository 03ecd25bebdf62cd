#include "fs/tree/layer_index.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace cairn;

TEST_SUITE_BEGIN("fs/layer_index");

namespace {

IndexedLayer sample() {
  std::deque<LayerEntry> entries;
  const auto add = [&](const char* path, FileType type) -> LayerEntry& {
    LayerEntry entry;
    entry.path = RootedPath::parse(path);
    entry.meta.type = type;
    entry.meta.mode = 0755;
    entries.push_back(entry);
    return entries.back();
  };
  add("/", FileType::directory).meta.mtime = from_unix(-5, 7);
  add("/usr", FileType::directory);
  auto& file = add("/usr/bin", FileType::regular);
  file.meta.size = std::uint64_t{5} << 40;
  file.meta.uid = 4'000'000'000;
  file.meta.xattrs = {{"security.capability", std::string("\x01\0\x02", 3)}, {"user.x", ""}};
  add("/usr/bin2", FileType::regular).hard_link = RootedPath::parse("/usr/bin");
  add("/usr/link", FileType::symlink).meta.link_target = "../\xff";
  auto& device = add("/z", FileType::char_device);
  device.meta.device_major = 5;
  device.meta.device_minor = 1'000'000;
  IndexedLayer layer;
  for (const auto& entry : entries)
    layer.index.entries.push_back(entry);
  layer.texts[2] = "root:x:0:0\n";
  return layer;
}

/// Paths that share nearly all of a beginning which is written once.
IndexedLayer amplified() {
  IndexedLayer layer;
  for (int i = 0; i < 400; ++i) {
    LayerEntry entry;
    entry.path = RootedPath::parse(std::string(60'000, 'n') + std::to_string(i));
    layer.index.entries.push_back(entry);
  }
  return layer;
}

std::string written(const IndexedLayer& layer) {
  TextSink sink;
  write_index(layer, sink);
  return sink.text();
}

IndexedLayer read_back(const std::string& bytes) {
  TextSource source(bytes);
  return read_index(source);
}

} // namespace

TEST_CASE("what was written is read back") {
  const auto layer = sample();
  const auto back = read_back(written(layer));
  REQUIRE(back.index.entries.size() == layer.index.entries.size());
  for (std::size_t i = 0; i < layer.index.entries.size(); ++i) {
    CAPTURE(i);
    CHECK(back.index.entries[i].path == layer.index.entries[i].path);
    CHECK(back.index.entries[i].hard_link == layer.index.entries[i].hard_link);
    CHECK(back.index.entries[i].meta == layer.index.entries[i].meta);
  }
  CHECK(back.texts == layer.texts);
}

TEST_CASE("a large index crosses the blocks it is read in") {
  IndexedLayer layer;
  for (int i = 0; i < 20'000; ++i) {
    LayerEntry entry;
    entry.path = RootedPath::parse("/directory/file" + std::to_string(i));
    entry.meta.size = static_cast<std::uint64_t>(i);
    layer.index.entries.push_back(entry);
  }
  const auto bytes = written(layer);
  CHECK(bytes.size() > stream_block);
  const auto back = read_back(bytes);
  REQUIRE(back.index.entries.size() == 20'000);
  CHECK(back.index.entries.back().meta.size == 19'999);
}

TEST_CASE("any byte that is changed, missing or too many is noticed") {
  const auto bytes = written(sample());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_THROWS_AS(read_back(changed), Error);
    CHECK_THROWS_AS(read_back(bytes.substr(0, i)), Error);
  }
  CHECK_THROWS_AS(read_back(bytes + "x"), Error);
}

TEST_CASE("a few bytes do not become an index of gigabytes") {
  const auto text = written(amplified());
  CHECK(text.size() < 70'000);
  TextSource source(text);
  CHECK_THROWS_AS(read_index(source), Error);
}

TEST_CASE("a few bytes do not become an index of gigabytes") {
  const auto text = written(amplified());
  CHECK(text.size() < 70'000);
  TextSource source(text);
  CHECK_THROWS_AS(read_index(source), Error);
}

TEST_SUITE_END();
