#include "chunked_layers.hpp"
#include "errors.hpp"
#include "fs/archive/read_layer.hpp"
#include "fs/chunked/chunk_reader.hpp"
#include "fs/tree/tree.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/chunked");

namespace {

constexpr auto forms = {TableHint::Form::estargz, TableHint::Form::zstd_chunked};

std::string noise(std::size_t size) {
  std::string text;
  std::uint32_t state = 7;
  while (text.size() < size)
    text += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

std::vector<Member> some_of_each() {
  auto owned = file("etc/owned", "mine");
  owned.entry.meta.uid = 1000;
  owned.entry.meta.gid = 4294967294;
  owned.entry.meta.mode = 04711;
  owned.entry.meta.mtime = from_unix(1234567890);
  owned.entry.meta.xattrs = {{"security.capability", std::string("\1\0\0\2\377", 5)},
                             {"user.x", "y"}};
  auto pipe = file("run/pipe", "");
  pipe.entry.meta.type = FileType::fifo;
  return {directory("etc"),
          owned,
          file("etc/empty", ""),
          file("usr/big", noise(4500)),
          file("usr/round", std::string(2000, 'r')),
          symbolic_link("bin", "usr/bin"),
          hard_link("usr/same", "usr/big"),
          device("dev/null", FileType::char_device, 1, 3),
          device("dev/disk", FileType::block_device, 8, 1),
          pipe,
          whiteout("var/.wh.gone"),
          whiteout("opt/.wh..wh..opq"),
          file("last", "the last one")};
}

struct Streamed {
  LayerIndex index;
  std::map<std::string, std::string> contents;
};

Streamed stream(const std::string& blob) {
  Streamed all;
  TextSource source(blob);
  read_layer(source, std::nullopt, [&](const LayerEntry& entry, TarReader& reader) {
    TextSink text;
    reader.copy_to(text);
    all.contents[entry.path.str()] = text.text();
    all.index.entries.push_back(entry);
  });
  return all;
}

std::uint32_t position_of(const LayerTable& table, const std::string& path) {
  for (std::uint32_t i = 0; i < table.index.entries.size(); ++i)
    if (table.index.entries[i].path.str() == path)
      return i;
  throw Error("no {}", path);
}

ChunkReader reader_of(const ChunkedLayer& layer, Ranges& ranges, std::uint64_t gap = 0) {
  auto table = std::make_shared<const LayerTable>(table_of(layer, ranges));
  ranges.forget();
  return {std::move(table), ranges.opener(), "layer", gap};
}

/// Why the table of these rows cannot be used; empty when it can.
std::string refusal(std::string_view rows) {
  try {
    table_of(with_rows(rows));
    return {};
  } catch (const TableUnusable& error) {
    return error.what();
  }
}

} // namespace

TEST_CASE("a table gives what reading the tar stream gives") {
  for (const auto form : forms) {
    CAPTURE(static_cast<int>(form));
    const auto layer = write_chunked(some_of_each(), {form});
    const auto streamed = stream(layer.blob);
    const auto table = table_of(layer);
    REQUIRE(table.index.entries.size() == streamed.index.entries.size());
    for (std::size_t i = 0; i < table.index.entries.size(); ++i) {
      const auto& entry = table.index.entries[i];
      CAPTURE(entry.path.str());
      CHECK(entry.path == streamed.index.entries[i].path);
      CHECK(entry.meta == streamed.index.entries[i].meta);
      CHECK(entry.hard_link == streamed.index.entries[i].hard_link);
    }
  }
}

TEST_CASE("a file that is opened by its chunks is what the stream holds") {
  for (const auto form : forms) {
    const auto layer = write_chunked(some_of_each(), {form});
    const auto streamed = stream(layer.blob);
    Ranges ranges(layer.blob);
    const auto reader = reader_of(layer, ranges);
    for (std::uint32_t i = 0; i < reader.table().index.entries.size(); ++i) {
      const auto& entry = reader.table().index.entries[i];
      if (!entry.has_content())
        continue;
      CAPTURE(entry.path.str());
      ranges.forget();
      CHECK(read_all(*reader.open(i), 1 << 20) == streamed.contents.at(entry.path.str()));
      CHECK(ranges.asked().size() == 1);
    }
  }
}

TEST_CASE("files that lie beside each other take one request, others one each") {
  for (const auto form : forms) {
    const auto layer = write_chunked(some_of_each(), {form});
    const auto streamed = stream(layer.blob);
    Ranges ranges(layer.blob);
    for (const std::uint64_t gap : {0, 1 << 20}) {
      const auto reader = reader_of(layer, ranges, gap);
      std::set<std::uint32_t> wanted;
      for (const auto* path : {"/last", "/etc/owned", "/etc/empty", "/usr/big"})
        wanted.insert(position_of(reader.table(), path));
      std::map<std::string, std::string> seen;
      reader.read(wanted, [&](std::uint32_t position, Source& content) {
        const auto path = reader.table().index.entries[position].path.str();
        if (path != "/usr/big") // What is not read does not matter.
          seen[path] = read_all(content, 1 << 20);
      });
      CHECK(seen == std::map<std::string, std::string>{
                        {"/etc/empty", ""}, {"/etc/owned", "mine"}, {"/last", "the last one"}});
      CHECK(ranges.asked().size() == (gap == 0 ? 2 : 1));
    }
  }
}

TEST_CASE("chunks that share a member are read in any order") {
  // estargz.WithMinChunkSize()
  const std::string content = "onetwothree";
  const auto row = [](const char* name, std::size_t inner, const std::string& text) {
    return fmt::format(R"({{"name":"{}","type":"reg","size":{},"offset":OFF,"innerOffset":{},)"
                       R"("chunkDigest":"{}"}})",
                       name, text.size(), inner, Digest::of(text).str());
  };
  auto rows = row("one", 0, "one") + "," + row("two", 3, "two") + "," + row("three", 6, "three");
  ChunkedWriting how;
  how.edit = [&](const std::string& toc) {
    const auto offset =
        std::to_string(Json::parse(toc).find("entries")->as_array()[0].int_or("offset", 0));
    for (auto at = rows.find("OFF"); at != std::string::npos; at = rows.find("OFF"))
      rows.replace(at, 3, offset);
    return R"({"version":1,"entries":[)" + rows + "]}";
  };
  const auto layer = write_chunked({file("all", content)}, how);
  Ranges ranges(layer.blob);
  const auto reader = reader_of(layer, ranges);
  for (std::uint32_t i = 3; i-- > 0;)
    CHECK(read_all(*reader.open(i), 100) == reader.table().index.entries[i].path.str().substr(1));
  ranges.forget();
  std::string seen;
  reader.read({0, 2}, [&](std::uint32_t, Source& file) { seen += read_all(file, 100); });
  CHECK(seen == "onethree");
  CHECK(ranges.asked().size() == 1);
}

TEST_CASE("a chunk that is another one than the table says is an error that names it") {
  for (const auto form : forms) {
    const auto layer = write_chunked(some_of_each(), {form});
    Ranges ranges(layer.blob);
    const auto reader = reader_of(layer, ranges);
    const auto position = position_of(reader.table(), "/usr/big");
    const auto chunk = reader.table().chunks_of(position)[2];
    ranges.damage(chunk.blob_offset + (chunk.blob_end - chunk.blob_offset) / 2);
    const auto message = error_of([&] { read_all(*reader.open(position), 1 << 20); });
    CAPTURE(message);
    CHECK(message.starts_with(
        fmt::format("layer: '/usr/big': chunk of bytes 2000 to 3000 (at {} of the "
                    "blob): ",
                    chunk.blob_offset)));
  }
}

TEST_CASE("a table of another digest is not believed") {
  for (const auto form : forms) {
    auto layer = write_chunked(some_of_each(), {form});
    for (auto& [name, value] : layer.annotations)
      if (value.starts_with("sha256:"))
        value = Digest::of("something else").str();
    CHECK_THROWS_WITH_AS(table_of(layer), doctest::Contains("another digest"), TableUnusable);
  }
}

TEST_CASE("a table takes one request when it is small, and two when it is not") {
  std::vector<Member> many;
  for (int i = 0; i < 3000; ++i)
    many.push_back(file(fmt::format("file-{}", i), std::to_string(i)));
  const auto small = write_chunked(some_of_each(), {});
  const auto large = write_chunked(many, {});
  Ranges of_small(small.blob);
  Ranges of_large(large.blob);
  table_of(small, of_small);
  CHECK(table_of(large, of_large).index.entries.size() == many.size() + 1);
  CHECK(of_small.asked().size() == 1);
  CHECK(of_large.asked().size() == 2);
}

TEST_CASE("descriptors without a table, or with one that has no place, give none") {
  const auto layer = write_chunked({file("a", "b")}, {TableHint::Form::zstd_chunked});
  const auto found = [&](const Annotations& annotations) {
    auto descriptor = layer.descriptor();
    descriptor.annotations = annotations;
    return find_table(descriptor).has_value();
  };
  const std::string digest = Digest::of("x").str();
  const std::string sum = "io.github.containers.zstd-chunked.manifest-checksum";
  const std::string position = "io.github.containers.zstd-chunked.manifest-position";
  CHECK_FALSE(found({}));
  CHECK(found({{"containerd.io/snapshot/stargz/toc.digest", digest}}));
  CHECK_FALSE(found({{"containerd.io/snapshot/stargz/toc.digest", "md5:1"}}));
  CHECK(found({{sum, digest}, {position, "1:2:3:1"}}));
  for (const auto* bad : {"", "1", "1:2:3", "1:2:3:2", "1:2:3:1:", "1:2:3:1:1", ":2:3:1",
                          "-1:2:3:1", "1:0:3:1", "1:99999999:3:1", "99999999:2:3:1",
                          "18446744073709551615:2:3:1", "0x1:2:3:1", " 1:2:3:1"}) {
    CAPTURE(bad);
    CHECK_FALSE(found({{sum, digest}, {position, bad}}));
  }
  CHECK_FALSE(found({{position, "1:2:3:1"}}));
}

TEST_CASE("a blob that is no eStargz blob has no table") {
  ChunkedLayer layer = write_chunked({file("a", "b")}, {});
  for (const auto& blob : {std::string(), std::string(51, 'x'), std::string(2000, 'x'),
                           layer.blob + "x", layer.blob.substr(0, layer.blob.size() - 51)}) {
    CAPTURE(blob.size());
    layer.blob = blob;
    CHECK_THROWS_AS(table_of(layer), TableUnusable);
  }
}

TEST_CASE("rows that make no sense, or say too little, make a table unusable") {
  const std::string digest = R"("chunkDigest":"sha256:)" + std::string(64, 'a') + "\"";
  const std::string place = R"("offset":1,"size":10,)" + digest;
  const auto reg = [](const std::string& name, const std::string& members) {
    return R"({"type":"reg","name":")" + name + "\"," + members + "}";
  };
  const auto chunk = [](const std::string& name, const std::string& members) {
    return R"({"type":"chunk","name":")" + name + "\"," + members + "}";
  };
  REQUIRE(refusal(reg("a", place)).empty());
  REQUIRE(refusal(reg("a", R"("offset":1,"size":10,"chunkSize":4,)" + digest) + "," +
                  chunk("a", R"("offset":2,"chunkOffset":4,)" + digest))
              .empty());
  const std::map<std::string, std::string> rows = {
      {"an empty name", reg("", place)},
      {"a name above the root", reg("../a", place)},
      {"a name that leaves and comes back", reg("a/../b", place)},
      {"a name with a NUL", reg("a\\u0000b", place)},
      {"a name that was not UTF-8", reg("a\\ufffd", place)},
      {"a name of 5000 bytes", reg(std::string(5000, 'a'), place)},
      {"one name twice", reg("a", place) + "," + R"({"type":"dir","name":"./a"})"},
      {"the table itself", reg("stargz.index.json", place)},
      {"no type", R"({"name":"a"})"},
      {"another type", R"({"name":"a","type":"socket"})"},
      {"a whiteout of nothing", R"({"name":".wh.","type":"reg"})"},
      {"a negative size", reg("a", R"("offset":1,"size":-1,)" + digest)},
      {"a size of an exabyte", reg("a", R"("offset":1,"size":1152921504606846976,)" + digest)},
      {"an owner beyond 32 bits", R"({"name":"a","type":"dir","uid":4294967295})"},
      {"a time of day", R"({"name":"a","type":"dir","modtime":"12:00"})"},
      {"no target", R"({"name":"a","type":"symlink"})"},
      {"a target with a NUL", R"({"name":"a","type":"symlink","linkName":"b\u0000"})"},
      {"a hard link to nothing", R"({"name":"a","type":"hardlink","linkName":"b"})"},
      {"a hard link to itself", R"({"name":"a","type":"hardlink","linkName":"a"})"},
      {"a hard link to what comes later",
       R"({"name":"a","type":"hardlink","linkName":"b"},{"name":"b","type":"reg"})"},
      {"a hard link to a directory",
       R"({"name":"b","type":"dir"},{"name":"a","type":"hardlink","linkName":"b"})"},
      {"no digest", reg("a", R"("offset":1,"size":10)")},
      {"another digest", reg("a", R"("offset":1,"size":10,"chunkDigest":"md5:1")")},
      {"no offset", reg("a", R"("size":10,)" + digest)},
      {"an offset in the table", reg("a", R"("offset":60000,"size":10,)" + digest)},
      {"a negative offset", reg("a", R"("offset":-1,"size":10,)" + digest)},
      {"an end before the beginning", reg("a", R"("endOffset":1,)" + place)},
      {"an end in the table", reg("a", R"("endOffset":99999,)" + place)},
      {"a chunk of no file", chunk("a", place)},
      {"a chunk of another file", reg("a", R"("chunkSize":4,)" + place) + "," +
                                      chunk("b", R"("offset":2,"chunkOffset":4,)" + digest)},
      {"a chunk after something else", reg("a", R"("chunkSize":4,)" + place) +
                                           R"(,{"type":"dir","name":"d"},)" +
                                           chunk("a", R"("offset":2,"chunkOffset":4,)" + digest)},
      {"a chunk too few", reg("a", R"("chunkSize":4,)" + place)},
      {"a chunk too many",
       reg("a", place) + "," + chunk("a", R"("offset":2,"chunkOffset":4,)" + digest)},
      {"a chunk beyond the file", reg("a", R"("chunkSize":11,)" + place)},
      {"a gap between chunks", reg("a", R"("chunkSize":4,)" + place) + "," +
                                   chunk("a", R"("offset":2,"chunkOffset":5,)" + digest)},
      {"chunks that overlap in the file",
       reg("a", R"("chunkSize":4,)" + place) + "," +
           chunk("a", R"("offset":2,"chunkOffset":3,)" + digest)},
      {"chunks at one place", reg("a", place) + "," + reg("b", place)},
      {"chunks that overlap in a member",
       reg("a", place) + "," + reg("b", R"("innerOffset":9,)" + place)},
      {"an end behind the next chunk",
       reg("a", R"("endOffset":3,)" + place) + "," + reg("b", R"("offset":2,"size":1,)" + digest)},
      {"chunks that go back", reg("a", R"("offset":2,"chunkSize":4,"size":10,)" + digest) + "," +
                                  chunk("a", R"("offset":1,"chunkOffset":4,)" + digest)},
      {"a member twice", R"({"name":"a","name":"b","type":"dir"})"},
      {"a number that is a text", R"({"name":"a","type":"dir","uid":"0"})"},
      {"a text that is a number", R"({"name":1,"type":"dir"})"},
      {"a fraction", R"({"name":"a","type":"dir","uid":1.5})"},
      {"a null", R"({"name":"a","type":"dir","uid":null})"},
      {"a list as attributes", R"({"name":"a","type":"dir","xattrs":[]})"},
      {"an attribute that is not base64", R"({"name":"a","type":"dir","xattrs":{"user.a":"%"}})"},
      {"an attribute twice", R"({"name":"a","type":"dir","xattrs":{"user.a":"","user.a":""}})"},
      {"a row that is a list", "[]"},
      {"a row that is a text", R"("a")"},
      {"no JSON", "{"},
  };
  for (const auto& row : rows) {
    const auto& what = row.first;
    CAPTURE(what);
    CHECK_FALSE(refusal(row.second).empty());
  }
}

TEST_CASE("what a table says besides is passed over") {
  CHECK(refusal(R"({"name":"a","type":"dir","NumLink":0,"x":{"name":[{"type":1}]},"y":[[{}],2]})")
            .empty());
}

TEST_CASE("documents of another form are no tables") {
  for (const auto* document :
       {"", "[]", "1", R"({"entries":[]})", R"({"version":2,"entries":[]})",
        R"({"version":1,"entries":{}})", R"({"version":1,"entries":null})",
        R"({"version":"1","entries":[]})", R"({"version":1,"entries":[],"entries":[]})",
        R"({"version":1,"entries":[]} {})"}) {
    CAPTURE(document);
    ChunkedWriting how;
    how.edit = [&](const std::string&) { return document; };
    CHECK_THROWS_AS(table_of(write_chunked({file("a", "b")}, how)), TableUnusable);
  }
}

TEST_CASE("files may together be as large as the layer read whole may be") {
  const std::string rows =
      R"({"type":"reg","name":"a","offset":1,"size":100000,"chunkDigest":"sha256:)" +
      std::string(64, 'a') + "\"}";
  const auto layer = with_rows(rows);
  Ranges ranges(layer.blob);
  TableLimits limits;
  limits.blob_size = layer.blob.size();
  const auto hint = find_table(layer.descriptor());
  CHECK_NOTHROW(read_table(*hint, ranges.opener(), limits));
  limits.expansion.slack = 10;
  CHECK_THROWS_AS(read_table(*hint, ranges.opener(), limits), TableUnusable);
}

TEST_CASE("a table has limits") {
  const auto layer = write_chunked(some_of_each(), {});
  const auto hint = find_table(layer.descriptor());
  const auto read = [&](const std::function<void(TableLimits&)>& change) {
    Ranges ranges(layer.blob);
    TableLimits limits;
    limits.blob_size = layer.blob.size();
    change(limits);
    return read_table(*hint, ranges.opener(), limits);
  };
  CHECK_NOTHROW(read([](TableLimits&) {}));
  CHECK_THROWS_AS(read([](TableLimits& limits) { limits.rows = 5; }), TableUnusable);
  CHECK_THROWS_AS(read([](TableLimits& limits) { limits.plain_bytes = 2000; }), TableUnusable);
  CHECK_THROWS_AS(read([](TableLimits& limits) { limits.compressed_bytes = 100; }), TableUnusable);
}

TEST_SUITE_END();
