#include "builder/roots/base_copy.hpp"

#include "fs/archive/layer_entries.hpp"
#include "fs/tree/unpack.hpp"
#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/parallel.hpp"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <memory>

namespace cairn {

namespace {

/// The files of a Tree in the order in which they are made: what others need comes first.
struct BaseEntries {
  explicit BaseEntries(const Tree& tree) {
    std::map<ContentRef, RootedPath> names;
    tree.walk([&](const RootedPath& path, const Tree::Node& node) {
      LayerEntry entry{path, node.meta(), {}};
      if (node.is_directory())
        return directories.push_back(entry);
      if (node.type() == FileType::regular) {
        const auto [first, is_first] = names.try_emplace(node.content(), path);
        if (!is_first) {
          entry.hard_link = first->second;
          return links.push_back(entry);
        }
      }
      files.push_back(entry);
    });
  }

  LayerEntries directories;
  LayerEntries files; ///< And whatever else is no directory.
  LayerEntries links; ///< To those.
};

/// Those of `files` from `begin` to `end`.
void copy_files(const LayerEntries& files, std::size_t begin, std::size_t end, FdRef from,
                Unpacker& to) {
  const ContentOpener open = [&](std::size_t n) -> std::unique_ptr<Source> {
    const auto path = files.path(n);
    auto file = open_beneath(from, path, O_RDONLY | O_NONBLOCK);
    if (!file)
      throw Error("'{}' is gone", path.str());
    return std::make_unique<FileSource>(*std::move(file));
  };
  for (auto i = begin; i < end; ++i) {
    EntryContent content(open, i);
    to.add(files[i], content);
  }
}

} // namespace

void copy_base(const Tree& tree, const std::string& from, const std::string& to,
               std::size_t threads) {
  // Small enough that threads end at the same time, large enough that neighbours stay together.
  constexpr std::size_t portion = 512;
  const auto source = open_directory(from);
  const auto target = open_directory(to);
  const BaseEntries entries(tree);
  // Times of directories are set by the one who made them, when everything is in them.
  Unpacker unpacker(target, {});
  for (const auto& directory : entries.directories)
    unpacker.add(directory, static_cast<Source*>(nullptr));
  parallel_for((entries.files.size() + portion - 1) / portion, threads, [&](std::size_t n) {
    Unpacker part(target, {});
    copy_files(entries.files, n * portion, std::min((n + 1) * portion, entries.files.size()),
               source, part);
  });
  for (const auto& link : entries.links)
    unpacker.add(link, static_cast<Source*>(nullptr));
  unpacker.finish();
}

} // namespace cairn
