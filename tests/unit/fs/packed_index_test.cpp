#include "fs/archive/zstd.hpp"
#include "fs/tree/packed_index.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace cairn;

TEST_SUITE_BEGIN("fs/packed_index");

namespace {

LayerEntry bare_entry(const char* path, FileType type = FileType::regular) {
  LayerEntry made;
  made.path = RootedPath::parse(path);
  made.meta.type = type;
  made.meta.mode = 0644;
  return made;
}

using Entries = std::vector<LayerEntry>;

/// Changes the entries of a layer.
void edit(IndexedLayer& layer, const std::function<void(Entries&)>& change) {
  Entries entries(layer.index.entries.begin(), layer.index.entries.end());
  change(entries);
  layer.index.entries = entries;
}

IndexedLayer small_layer() {
  IndexedLayer layer;
  Entries entries = {bare_entry("/etc", FileType::directory), bare_entry("/etc/passwd"),
                     bare_entry("/etc/link", FileType::symlink), bare_entry("/etc/name")};
  entries[1].meta.size = 4;
  entries[2].meta.link_target = "passwd";
  entries[3].hard_link = RootedPath::parse("/etc/passwd");
  layer.index.entries = entries;
  layer.texts[1] = "root";
  return layer;
}

std::string zstd_frame(std::string_view plain) {
  TextSink sink;
  const auto zstd = make_zstd_sink(sink, 3, 1);
  write_text(*zstd, plain);
  zstd->finish();
  return sink.text();
}

/// As somebody packs it who checks nothing.
std::string packed_by_others(const IndexedLayer& layer) {
  TextSink sink;
  write_index(layer, sink);
  return zstd_frame(sink.text());
}

IndexedLayer unpacked(const std::string& bytes) {
  TextSource source(bytes);
  return unpack_index(source);
}

Digest digest_of(const IndexedLayer& layer) {
  EntriesDigest digest;
  for (const auto& each : layer.index.entries)
    digest.add(each);
  return digest.finish();
}

} // namespace

TEST_CASE("an index that is packed can be unpacked, and is the same") {
  const auto packed = pack_index(small_layer());
  const auto back = unpacked(packed.bytes);
  CHECK(digest_of(back) == digest_of(small_layer()));
  CHECK(back.texts == small_layer().texts);
  CHECK(pack_index(back) == packed);
}

TEST_CASE("sixty thousand files take a few hundred kilobytes") {
  IndexedLayer layer;
  for (int i = 0; i < 63'000; ++i) {
    auto file =
        bare_entry(fmt::format("/usr/share/doc/package-{}/file-{}", i / 60, i % 60).c_str());
    file.meta.size = static_cast<std::uint64_t>(i) * 7919 % 100'000;
    file.meta.mtime = from_unix(1'700'000'000 + i / 100);
    layer.index.entries.push_back(file);
  }
  CHECK(pack_index(layer).bytes.size() < 600'000);
}

TEST_CASE("any byte of a packed index that is changed or missing is noticed") {
  const auto bytes = pack_index(small_layer()).bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CAPTURE(i);
    try {
      const auto layer = unpacked(changed);
      CHECK(digest_of(layer) == digest_of(small_layer()));
      CHECK(layer.texts == small_layer().texts);
    } catch (const Error&) {
      continue;
    }
  }
  for (std::size_t i = 0; i < bytes.size(); ++i)
    CHECK_THROWS_AS(unpacked(bytes.substr(0, i)), Error);
}

TEST_CASE("what no layer can hold is refused, whoever has packed it") {
  struct Row {
    const char* what;
    std::function<void(IndexedLayer&)> spoil;
  };
  const auto entry = [](std::size_t n, const std::function<void(LayerEntry&)>& change) {
    return [=](IndexedLayer& layer) { edit(layer, [&](Entries& all) { change(all[n]); }); };
  };
  const std::vector<Row> rows = {
      {"a mode with other bits", entry(1, [](auto& file) { file.meta.mode = 0100644; })},
      {"an owner that means no change", entry(1, [](auto& file) { file.meta.uid = UINT32_MAX; })},
      {"a group that means no change", entry(1, [](auto& file) { file.meta.gid = UINT32_MAX; })},
      {"a size that is negative elsewhere",
       entry(1, [](auto& file) { file.meta.size = UINT64_MAX; })},
      {"a text of another size", [](auto& layer) { layer.texts[1] = "root:x"; }},
      {"a text of a directory", [](auto& layer) { layer.texts[0] = ""; }},
      {"a text of no entry", [](auto& layer) { layer.texts[9] = ""; }},
      {"a directory with bytes", entry(0, [](auto& file) { file.meta.size = 1; })},
      {"a second name with bytes", entry(3, [](auto& file) { file.meta.size = 1; })},
      {"a link to nothing", entry(2, [](auto& file) { file.meta.link_target = ""; })},
      {"a target with a NUL",
       entry(2, [](auto& file) { file.meta.link_target = std::string("a\0b", 3); })},
      {"a file with a device's number", entry(1, [](auto& file) { file.meta.device_major = 1; })},
      {"attributes out of their order", entry(1,
                                              [](auto& file) {
                                                file.meta.xattrs = {{"user.b", ""}, {"user.a", ""}};
                                              })},
      {"an attribute twice", entry(1,
                                   [](auto& file) {
                                     file.meta.xattrs = {{"user.a", "1"}, {"user.a", "2"}};
                                   })},
      {"attributes beyond what an entry may have",
       entry(1,
             [](auto& file) {
               file.meta.xattrs = {{"user.a", std::string(200'000, 'x')}};
             })},
      {"a name beyond what a layer may have",
       entry(1, [](auto& file) { file.path = RootedPath::parse(std::string(5000, 'n')); })},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.what));
    auto layer = small_layer();
    CHECK_NOTHROW(unpacked(packed_by_others(layer)));
    row.spoil(layer);
    CHECK_THROWS_AS(unpacked(packed_by_others(layer)), Error);
  }
}

TEST_CASE("what is written by hand is refused, also when the checksum is right") {
  constexpr std::size_t checksum = 64;
  TextSink sink;
  write_index(small_layer(), sink);
  const auto whole = sink.text().substr(0, sink.text().size() - checksum);
  const auto with = [&](std::string_view old, std::string_view other) {
    auto text = whole;
    const auto at = text.find(old);
    REQUIRE(at != std::string::npos);
    text.replace(at, old.size(), other);
    return zstd_frame(text + std::string(Digest::of(text).hex()));
  };
  CHECK_NOTHROW(unpacked(with("/passwd", "/passwd")));
  SUBCASE("a path that leads up") {
    CHECK_THROWS_AS(unpacked(with("/passwd", "/../sh.")), Error);
  }
  SUBCASE("the target of what is a file") {
    // No hard link, and then the type.
    const std::string link("link\0\2", 6);
    CHECK_THROWS_AS(unpacked(with(link, std::string("link\0\0", 6))), Error);
  }
}

TEST_CASE("a few bytes do not become an index of gigabytes") {
  const auto bomb = zstd_frame(std::string(most_index_bytes + 1, 'x'));
  CHECK(bomb.size() < 100'000);
  CHECK_THROWS_AS(unpacked(bomb), Error);
}

TEST_CASE("a text that is not that of its file is not packed") {
  auto layer = small_layer();
  layer.texts[1] = "cut off before";
  CHECK(unpacked(pack_index(layer).bytes).texts.empty());
}

TEST_CASE("every part of an entry is in the digest of entries, and so is their order") {
  const auto digest = digest_of(small_layer());
  auto other = small_layer();
  edit(other, [](Entries& all) { all[1].meta.size = 5; });
  CHECK(digest_of(other) != digest);
  other = small_layer();
  edit(other, [](Entries& all) { all[3].hard_link = RootedPath::parse("/etc/link"); });
  CHECK(digest_of(other) != digest);
  other = small_layer();
  edit(other, [](Entries& all) { std::swap(all[1], all[3]); });
  CHECK(digest_of(other) != digest);
  other = small_layer();
  edit(other, [](Entries& all) { all.pop_back(); });
  CHECK(digest_of(other) != digest);
}

TEST_SUITE_END();
