#include "inputs.hpp"

#include "fs/archive/tar.hpp"
#include "util/rooted_path.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <random>
#include <string_view>

namespace cairn::bench {

namespace {

constexpr std::size_t per_directory = 20;

LayerEntry entry_of(const RootedPath& path, FileType type, std::uint64_t size) {
  LayerEntry entry;
  entry.path = path;
  entry.meta.type = type;
  entry.meta.mode = type == FileType::directory ? 0755 : 0644;
  entry.meta.mtime = from_unix(1'700'000'000);
  entry.meta.size = size;
  return entry;
}

} // namespace

std::string source_text(std::size_t size) {
  static constexpr std::array<std::string_view, 16> words = {
      "return", "const",  "static ", "include",   "value", "(", ");\n", " = ",
      "size",   "string", "if (",    "namespace", "{\n  ", "}", "//",   ", "};
  std::minstd_rand chance(1); // the same numbers everywhere, as no distribution is used
  std::string text;
  while (text.size() < size) {
    text += words[chance() % words.size()];
    text += fmt::format("{:x}", chance() % 4096);
  }
  text.resize(size);
  return text;
}

std::vector<LayerEntry> root_entries(std::size_t count, std::size_t size) {
  std::vector<LayerEntry> entries;
  RootedPath directory;
  for (std::size_t n = 0; n < count; ++n) {
    const auto place = n % per_directory;
    if (place == 0) {
      const auto number = n / per_directory;
      const auto above = RootedPath::parse(fmt::format("/usr/share/part{:03}", number / 100));
      if (number % 100 == 0)
        entries.push_back(entry_of(above, FileType::directory, 0));
      directory = above.child(fmt::format("package{:05}", number));
      entries.push_back(entry_of(directory, FileType::directory, 0));
      continue;
    }
    const auto path = directory.child(fmt::format("file{:02}.txt", place));
    if (place == 18) {
      entries.push_back(entry_of(path, FileType::symlink, 0));
      entries.back().meta.link_target = "file01.txt";
    } else if (place == 19) {
      entries.push_back(entry_of(path, FileType::regular, 0));
      entries.back().hard_link = directory.child("file01.txt");
    } else {
      entries.push_back(entry_of(path, FileType::regular, size));
    }
  }
  return entries;
}

std::string archive_of(const LayerEntries& entries, const std::string& content) {
  TextSink sink;
  TarWriter writer(sink);
  for (const auto& entry : entries) {
    TextSource bytes(content);
    writer.add(entry, entry.has_content() ? &bytes : nullptr);
  }
  writer.finish();
  return sink.text();
}

} // namespace cairn::bench
