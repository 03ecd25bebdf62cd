// Measures the parts of a build that run for every byte or every file, each alone, on one thread
// and on inputs that are always the same.
//
//   micro [TEXT]    only the parts whose names hold TEXT

#include "fs/archive/compress.hpp"
#include "fs/archive/tar.hpp"
#include "fs/pattern/ignore.hpp"
#include "fs/tree/changes.hpp"
#include "fs/tree/layer_index.hpp"
#include "fs/tree/tree.hpp"
#include "inputs.hpp"
#include "timing.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/fd.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

using namespace cairn;
using namespace cairn::bench;

namespace {

constexpr std::size_t text_size = std::size_t{32} << 20;
constexpr std::size_t content_size = 1000;

std::string compressed(const std::string& text, CompressionChoice choice) {
  TextSink sink;
  const auto compressor = make_compressor(sink, choice);
  write_text(*compressor, text);
  compressor->finish();
  return sink.text();
}

void hashes(const Bench& bench, const std::string& text) {
  bench.measure("SHA-256", bytes(text.size()), [&] { sha256_hex(text); });
}

void compressors(const Bench& bench, const std::string& text) {
  struct Row {
    const char* name;
    Compression method;
    int level;
  };
  for (const auto& row : {Row{"gzip", Compression::gzip, 1}, Row{"gzip", Compression::gzip, 2},
                          Row{"gzip", Compression::gzip, 3}, Row{"gzip", Compression::gzip, 6},
                          Row{"zstd", Compression::zstd, 3}})
    bench.measure(fmt::format("{} level {}", row.name, row.level), bytes(text.size()), [&] {
      NullSink sink;
      const auto compressor = make_compressor(sink, {row.method, row.level});
      write_text(*compressor, text);
      compressor->finish();
    });
}

void decompressors(const Bench& bench, const std::string& text) {
  for (const auto method : {Compression::gzip, Compression::zstd}) {
    const auto packed = compressed(text, {method, {}});
    bench.measure(method == Compression::gzip ? "gunzip" : "unzstd", bytes(text.size()), [&] {
      TextSource source(packed);
      NullSink sink;
      copy(*make_decompressor(source, method), sink);
    });
  }
}

void archives(const Bench& bench) {
  const auto entries = root_entries(file_count, content_size);
  const auto content = source_text(content_size);
  const auto archive = archive_of(entries, content);
  bench.measure("tar reading, an entry", items(entries.size()), [&] {
    TextSource source(archive);
    TarReader reader(source);
    NullSink sink;
    while (reader.next())
      reader.copy_to(sink);
  });
  bench.measure("tar writing, an entry", items(entries.size()), [&] {
    NullSink sink;
    TarWriter writer(sink);
    for (const auto& entry : entries) {
      TextSource bytes_of_file(content);
      writer.add(entry, entry.has_content() ? &bytes_of_file : nullptr);
    }
    writer.finish();
  });
}

void trees(const Bench& bench) {
  IndexedLayer layer;
  layer.index.entries = root_entries(file_count, content_size);
  const auto count = layer.index.entries.size();
  bench.measure("Tree apply, an entry", items(count), [&] { Tree().apply(layer.index); });
  Tree tree;
  tree.apply(layer.index);
  bench.measure("Tree apply over itself, an entry", items(count), [&] {
    Tree copied(tree);
    copied.apply(layer.index);
  });
  bench.measure("Tree copy, an entry", items(count), [&] { Tree(tree).apply({}); });
  bench.measure("Tree find, an entry", items(count), [&] {
    for (const auto& entry : layer.index.entries)
      if (!tree.find(entry.path))
        throw Error("{} is not there", entry.path.str());
  });
  bench.measure("index writing, an entry", items(count), [&] {
    NullSink sink;
    write_index(layer, sink);
  });
  TextSink written;
  write_index(layer, written);
  bench.measure("index reading, an entry", items(count), [&] {
    TextSource source(written.text());
    read_index(source);
  });
}

/// Empty files: what a snapshot looks at is metadata.
void make_files(const std::string& root) {
  for (const auto& entry : root_entries(file_count, 0)) {
    const auto path = root + entry.path.str();
    if (is_directory(entry.meta))
      make_directories(path);
    else
      open_at(current_directory(), path, O_WRONLY | O_CREAT, 0644);
  }
}

void snapshots(const Bench& bench) {
  const char* parent = std::getenv("TMPDIR");
  const TempDir place(parent != nullptr ? parent : "/tmp", "cairn-micro-");
  make_files(place.path());
  const auto nothing = [](const RootedPath&) { return false; };
  bench.measure("snapshot, a file", items(file_count),
                [&] { Snapshot::take(place.fd(), nothing); });
}

void ignore_rules(const Bench& bench) {
  const IgnoreRules rules(
      parse_ignore_file("node_modules\n**/*.log\n*.md\n!README.md\n**/build/*.o\ndoc?/[a-m]*\n"));
  std::vector<std::string> paths;
  for (const auto& entry : root_entries(file_count, 0))
    paths.emplace_back(entry.path.relative());
  bench.measure("ignore rules, a path of six rules", items(paths.size()), [&] {
    for (const auto& path : paths)
      rules.judge(path);
  });
}

void measure_all(const Bench& bench) {
  const auto text = source_text(text_size);
  hashes(bench, text);
  compressors(bench, text);
  decompressors(bench, text);
  archives(bench);
  trees(bench);
  snapshots(bench);
  ignore_rules(bench);
}

} // namespace

int main(int argc, char** argv) {
  try {
    measure_all(Bench(argc > 1 ? argv[1] : ""));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
