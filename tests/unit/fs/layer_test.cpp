#include "archives.hpp"
#include "errors.hpp"
#include "fs/archive/read_layer.hpp"
#include "fs/tree/layer_writer.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/layer");

namespace {

std::vector<Member> members() {
  return {directory("a"),          file("a/empty", ""), file("a/f", std::string(300'000, 'x')),
          hard_link("a/g", "a/f"), whiteout("a/.wh.h"), symbolic_link("s", "a")};
}

Layer write(const BlobStore& store, const std::vector<Member>& all, const CompressionChoice& choice,
            const TimeRule& times = {}) {
  const auto index = index_of(all);
  const auto open = [&](std::size_t n) { return std::make_unique<TextSource>(all.at(n).content); };
  return write_layer(index.entries, open, store, choice, times);
}

std::string compressed_with(std::string_view text, Compression method) {
  TextSink out;
  const auto sink = make_compressor(out, {method, {}});
  write_text(*sink, text);
  sink->finish();
  return out.text();
}

} // namespace

TEST_CASE("a layer that is written is read again, its digests being true") {
  const TempDir work("/tmp");
  const BlobStore store(work.path());
  for (const auto method : {Compression::none, Compression::gzip, Compression::zstd}) {
    const auto layer = write(store, members(), {method, {}});
    CHECK(layer.compression == method);
    CHECK(layer.diff_id == Digest::of(tar_of(members())));
    CHECK(store.size(layer.digest) == layer.size);
    CHECK((method == Compression::none) == (layer.digest == layer.diff_id));

    std::vector<std::string> seen;
    const auto blob = store.read(layer.digest);
    const auto diff_id =
        read_layer(*blob, layer.diff_id, [&](const LayerEntry& entry, TarReader& reader) {
          TextSink content;
          reader.copy_to(content);
          seen.push_back(fmt::format("{} {}", entry.path.str(), content.text().size()));
        });
    CHECK(diff_id == layer.diff_id);
    CHECK(seen == std::vector<std::string>{"/a 0", "/a/empty 0", "/a/f 300000", "/a/g 0",
                                           "/a/.wh.h 0", "/s 0"});
  }
}

TEST_CASE("content is asked for once for each file that has some, in order") {
  const TempDir work("/tmp");
  const BlobStore store(work.path());
  const auto all = members();
  std::vector<std::size_t> opened;
  write_layer(index_of(all).entries,
              [&](std::size_t n) {
                opened.push_back(n);
                return std::make_unique<TextSource>(all.at(n).content);
              },
              store, {}, {});
  CHECK(opened == std::vector<std::size_t>{2});
}

TEST_CASE("times are kept, clamped or set") {
  auto early = file("early", "");
  early.entry.meta.mtime = from_unix(10, 5);
  auto late = file("late", "");
  late.entry.meta.mtime = from_unix(1000);
  struct Row {
    TimeRule rule;
    std::int64_t early;
    std::int64_t late;
  };
  const Row rows[] = {{{}, 10, 1000},
                      {{TimeRule::Kind::clamp, from_unix(100)}, 10, 100},
                      {{TimeRule::Kind::set, from_unix(7)}, 7, 7}};
  for (const auto& row : rows) {
    const TempDir work("/tmp");
    const BlobStore store(work.path());
    const auto layer = write(store, {early, late}, {Compression::none, {}}, row.rule);
    const auto blob = store.read(layer.digest);
    std::vector<std::int64_t> seen;
    read_layer(*blob, {}, [&](const LayerEntry& entry, TarReader&) {
      seen.push_back(unix_seconds(entry.meta.mtime));
    });
    CHECK(seen == std::vector<std::int64_t>{row.early, row.late});
  }
}

TEST_CASE("a file that cannot be read leaves no blob") {
  const TempDir work("/tmp");
  const BlobStore store(work.path());
  const auto all = members();
  const auto open = [&](std::size_t) -> std::unique_ptr<Source> { throw Error("it has gone"); };
  CHECK(error_of([&] { write_layer(index_of(all).entries, open, store, {}, {}); }) ==
        "it has gone");
  CHECK(list_directory(open_at(current_directory(), work.path() + "/blobs/sha256", 0)).empty());
}

TEST_CASE("a layer is read in whatever form it is") {
  const auto tar = tar_of(members());
  for (const auto method : {Compression::none, Compression::gzip, Compression::zstd}) {
    const auto bytes = compressed_with(tar, method);
    TextSource blob(bytes);
    CHECK(read_layer(blob, {}, [](const LayerEntry&, TarReader&) {}) == Digest::of(tar));
  }
}

TEST_CASE("the diff id covers every byte, those after the end as well") {
  const auto tar = tar_of(members()) + "more";
  const auto bytes = compressed_with(tar, Compression::gzip);
  TextSource blob(bytes);
  CHECK(read_layer(blob, Digest::of(tar), [](const LayerEntry&, TarReader&) {}) == Digest::of(tar));
}

TEST_CASE("a layer that is not what it should be is an error") {
  const auto tar = tar_of(members());
  const auto other = Digest::of("other");
  auto damaged = compressed_with(tar, Compression::gzip);
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  struct Row {
    std::string bytes;
    std::string message;
  };
  const Row rows[] = {
      {compressed_with(tar, Compression::gzip),
       "layer has diff id " + Digest::of(tar).str() + " instead of " + other.str()},
      {damaged, "gzip stream is damaged: its checksum differs"},
      {compressed_with(tar.substr(0, 200'000), Compression::gzip),
       "archive is damaged: Truncated input file (needed 300032 bytes, only 198464 available)"},
      {compressed_with("no archive at all", Compression::gzip),
       "archive is damaged: Unrecognized archive format"},
  };
  for (const auto& row : rows) {
    TextSource blob(row.bytes);
    CHECK(error_of([&] { read_layer(blob, other, [](const LayerEntry&, TarReader&) {}); }) ==
          row.message);
  }
}

TEST_CASE("a visitor may stop the reading") {
  const auto tar = tar_of({file("a", std::string(5'000'000, 'x')), file("b", "")});
  TextSource blob(tar);
  CHECK(error_of([&] {
          read_layer(blob, {}, [](const LayerEntry&, TarReader&) { throw Error("enough"); });
        }) == "enough");
}
