#include "archives.hpp"
#include "errors.hpp"
#include "fs/archive/archive_file.hpp"
#include "fs/archive/name_budget.hpp"
#include "fs/archive/read_layer.hpp"
#include "fs/tree/layer_writer.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/expansion");

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
const std::string end_of_archive(1024, '\0');

std::string compressed(std::string_view text, Compression method) {
  TextSink out;
  const auto sink = make_compressor(out, {method, {}});
  write_text(*sink, text);
  sink->finish();
  return out.text();
}

/// A file of `size` bytes with four of them in the archive, at `offset`.
std::string sparse_member(std::uint64_t size, std::uint64_t offset = 0) {
  return pax_member({{"GNU.sparse.map", fmt::format("{},4", offset)},
                     {"GNU.sparse.size", std::to_string(size)}}) +
         raw_member("sparse", '0', "data");
}

enum class Content { skipped, copied, in_blocks };

void take(TarReader& reader, Content content) {
  TextSink nowhere;
  if (content == Content::copied)
    reader.copy_to(nowhere);
  while (content == Content::in_blocks && reader.read_block()) {
  }
}

std::string error_of_layer(const std::string& blob, ExpansionLimit limit,
                           Content content = Content::skipped) {
  return error_of([&] {
    TextSource source(blob);
    read_layer(
        source, {}, [&](const LayerEntry&, TarReader& reader) { take(reader, content); }, limit);
  });
}

std::string error_of_archive(const std::string& file, ExpansionLimit limit, Content content) {
  return error_of([&] {
    read_archive([&] { return std::make_unique<TextSource>(file); },
                 [&](const LayerEntry&, TarReader& reader) { take(reader, content); }, limit);
  });
}

} // namespace

TEST_CASE("an archive may hold a hundred times itself, and some more") {
  const ExpansionGauge expansion({1000});
  CHECK(error_of([&] { expansion.check(1000); }).empty());
  CHECK_FALSE(error_of([&] { expansion.check(1200); }).empty());
  ExpansionGauge larger({1000});
  larger.note_read(50);
  CHECK(error_of([&] { larger.check(6000); }).empty());
  CHECK(error_of([&] { larger.check(6200); }) ==
        "50 B of an archive are unpacked to 6.2 kB: more than 1.0 kB and 100 times itself\n"
        "hint: --max-unpacked-size allows more");
  CHECK(error_of([&] { ExpansionGauge(unlimited_expansion).check(UINT64_MAX); }).empty());
}

TEST_CASE("a few bytes that are decompressed to many are refused, whoever reads them") {
  const auto tar = tar_of({file("zeros", std::string(8 * mib, '\0'))});
  for (const auto method : {Compression::gzip, Compression::zstd}) {
    const auto blob = compressed(tar, method);
    for (const auto content : {Content::skipped, Content::copied, Content::in_blocks}) {
      CHECK(error_of_layer(blob, {mib}, content).find("--max-unpacked-size") != std::string::npos);
      CHECK(error_of_archive(blob, {mib}, content).find("--max-unpacked-size") !=
            std::string::npos);
      CHECK(error_of_layer(blob, {16 * mib}, content).empty());
      CHECK(error_of_layer(blob, unlimited_expansion, content).empty());
    }
  }
}

TEST_CASE("what is about as large as its archive has no limit") {
  std::string noise(4 * mib, '\0');
  std::uint32_t state = 1;
  for (auto& byte : noise)
    byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const auto tar = tar_of({file("noise", noise)});
  for (const auto method : {Compression::none, Compression::gzip, Compression::zstd})
    CHECK(error_of_layer(compressed(tar, method), {0}).empty());
}

TEST_CASE("the holes of a sparse file count before they are written") {
  constexpr std::uint64_t tib = std::uint64_t{1} << 40;
  for (const auto offset : {std::uint64_t{0}, tib - 1000}) {
    const auto tar = sparse_member(tib - 500, offset) + end_of_archive;
    for (const auto content : {Content::skipped, Content::copied, Content::in_blocks}) {
      CHECK(error_of_layer(tar, {}, content).find("are unpacked to 1.1 TB") != std::string::npos);
      CHECK(error_of_archive(tar, {}, content).find("are unpacked to 1.1 TB") != std::string::npos);
    }
    CHECK(error_of_layer(tar, unlimited_expansion).empty());
  }
}

TEST_CASE("the holes of several files are added up") {
  std::string many;
  for (int i = 0; i < 10; ++i)
    many += sparse_member(mib);
  many += end_of_archive;
  for (const auto content : {Content::skipped, Content::copied, Content::in_blocks}) {
    CHECK_FALSE(error_of_layer(many, {4 * mib}, content).empty());
    CHECK(error_of_layer(many, {12 * mib}, content).empty());
  }
}

TEST_CASE("a map of a sparse file does not fill the memory") {
  std::string map = "10000000\n";
  while (map.size() < 20 * mib)
    map += "0\n0\n";
  const auto tar = pax_member({{"GNU.sparse.major", "1"},
                               {"GNU.sparse.minor", "0"},
                               {"GNU.sparse.name", "s"},
                               {"GNU.sparse.realsize", "0"}}) +
                   raw_member("s", '0', map) + end_of_archive;
  for (const auto content : {Content::copied, Content::in_blocks})
    CHECK(error_of_layer(tar, {}, content).find("larger than 16777216 bytes") != std::string::npos);
}

TEST_CASE("headers before one entry have an end") {
  std::string tar;
  const auto comment = pax_member({{"comment", std::string(500'000, 'x')}});
  for (int i = 0; i < 40; ++i)
    tar += raw_member("global", 'g', comment.substr(512));
  CHECK_FALSE(error_of_layer(tar + raw_member("a", '0') + end_of_archive, {}).empty());
}

TEST_CASE("long names are refused when there are too many, short ones are not") {
  const auto budget_for = [](std::size_t count, std::size_t length) {
    return error_of([&] {
      NameBudget budget;
      LayerEntry entry;
      entry.path = RootedPath::parse(std::string(length, 'n'));
      entry.meta.type = FileType::symlink;
      entry.meta.link_target = std::string(length, 't');
      for (std::size_t i = 0; i < count; ++i)
        budget.add(entry);
    });
  };
  CHECK(budget_for(1'000'000, 100).empty());
  CHECK(budget_for(2000, 4000).empty());
  CHECK(budget_for(20'000, 4000) ==
        "names and targets of links are larger than 16777216 bytes, and than 256 bytes for each of "
        "the 2097 entries so far");
}

TEST_CASE("an archive of long symbolic links is refused") {
  std::vector<Member> links;
  links.reserve(3000);
  for (int i = 0; i < 3000; ++i)
    links.push_back(
        symbolic_link(fmt::format("{}/{}", std::string(2000, 'n'), i), std::string(4000, 't')));
  const auto error = error_of_layer(compressed(tar_of(links), Compression::gzip), {});
  CHECK(error.find("names and targets of links are larger than") != std::string::npos);
}

TEST_SUITE_END();
