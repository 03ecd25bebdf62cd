#include "layer_files.hpp"

#include "fs/archive/read_layer.hpp"
#include "fs/tree/layer_writer.hpp"
#include "util/file.hpp"

#include <memory>

namespace cairn::test {

std::vector<LayerEntry> entries_of(const Files& files) {
  std::map<RootedPath, LayerEntry> entries;
  const auto add = [&](const RootedPath& path, FileType type, std::uint32_t mode,
                       std::uint64_t size) {
    LayerEntry entry;
    entry.path = path;
    entry.meta.type = type;
    entry.meta.mode = mode;
    entry.meta.size = size;
    entries.emplace(path, std::move(entry));
  };
  for (const auto& [name, text] : files) {
    const auto path = RootedPath::parse(name);
    for (auto above = path.parent(); !above.is_root(); above = above.parent())
      add(above, FileType::directory, 0755, 0);
    add(path, FileType::regular, 0644, text.size());
  }
  std::vector<LayerEntry> list;
  list.reserve(entries.size());
  for (auto& [path, entry] : entries)
    list.push_back(std::move(entry));
  return list;
}

LayerContent content_of(const Files& files) {
  LayerContent content;
  content.entries = entries_of(files);
  Files by_path;
  for (const auto& [name, text] : files)
    by_path[RootedPath::parse(name).str()] = text;
  content.begin = [by_path](const LayerEntries& list) -> ContentOpener {
    return [&by_path, &list](std::size_t n) {
      return std::make_unique<OwnedTextSource>(by_path.at(list.path(n).str()));
    };
  };
  return content;
}

LayerContent with_opener(LayerContent content, std::function<ContentOpener(ContentOpener)> wrap) {
  content.begin = [begin = std::move(content.begin), wrap = std::move(wrap)](
                      const LayerEntries& entries) { return wrap(begin(entries)); };
  return content;
}

std::string tar_of(const Files& files) {
  const auto content = content_of(files);
  TextSink tar;
  write_tar(content.entries, content.reader(), {}, tar);
  return tar.text();
}

void write_below(const std::string& directory, const Files& files) {
  for (const auto& [name, text] : files) {
    const auto path = directory + RootedPath::parse(name).str();
    make_directories(path.substr(0, path.rfind('/')));
    AtomicFile file(path);
    file.write(text);
    file.commit();
  }
}

Files files_of_layer(const std::string& blob) {
  Files files;
  TextSource source(blob);
  read_layer(source, std::nullopt, [&](const LayerEntry& entry, TarReader& reader) {
    if (entry.meta.type != FileType::regular)
      return;
    TextSink text;
    reader.copy_to(text);
    files[entry.path.relative()] = text.text();
  });
  return files;
}

std::vector<std::string> files_in(const Tree& tree) {
  std::vector<std::string> paths;
  tree.walk([&](const RootedPath& path, const Tree::Node& node) {
    if (node.type() == FileType::regular)
      paths.push_back(path.str());
  });
  return paths;
}

} // namespace cairn::test
