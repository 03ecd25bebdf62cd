#include "builder/layers/stack_contents.hpp"

#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

namespace cairn {

namespace {

/// Nothing unless there is a regular file of this size; no link is followed.
std::optional<Fd> open_file(const std::string& root, const RootedPath& path, std::uint64_t size) {
  auto file = open_beneath(open_directory(root), path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (!file || ::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      static_cast<std::uint64_t>(info.st_size) != size)
    return std::nullopt;
  return file;
}

/// The directory that a file of a layer is unpacked in, under its path; nothing when that is not
/// certain. The layer that gave a path its content has it under that path, and so has a root that
/// the layer is in as long as no other layer has the path. A hard link may be the name of a file of
/// a lower layer.
std::optional<std::string> root_of(const LayerStack& stack, const ContentRef& content,
                                   const RootedPath& path) {
  const auto node = stack.loaded_tree().find(path);
  if (!node || node->layer() != content.layer)
    return std::nullopt;
  std::optional<std::string> root = stack.layers().at(content.layer)->directory();
  if (!root && stack.root() != nullptr && !stack.root()->ignored(path))
    root = stack.root()->path;
  if (!root || !open_file(*root, path, node->size()))
    return std::nullopt;
  return root;
}

} // namespace

StackContents::StackContents(const LayerStack& stack, const Wanted& wanted,
                             const std::string& directory)
    : spool_(directory) {
  for (auto next = wanted.begin(); next != wanted.end();) {
    const auto end = wanted.lower_bound(ContentRef{next->first.layer + 1, 0});
    find_layer(stack, {next, end});
    next = end;
  }
  spool_.close();
}

void StackContents::find_layer(const LayerStack& stack, Part part) {
  const auto number = part.first->first.layer;
  const auto& layer = *stack.layers().at(number);
  if (auto files = layer.files()) {
    files_.emplace(number, std::move(files));
    return;
  }
  std::set<ContentRef> left;
  for (auto i = part.first; i != part.second; ++i)
    if (auto root = root_of(stack, i->first, i->second))
      unpacked_.emplace(i->first, Unpacked{*std::move(root), i->second,
                                           stack.loaded_tree().find(i->second)->size()});
    else
      left.insert(i->first);
  if (!left.empty())
    spool_layer(layer, left);
}

void StackContents::spool_layer(const StageLayer& layer, const std::set<ContentRef>& wanted) {
  ContentRef here{wanted.begin()->layer, 0};
  if (const auto* table = layer.table()) {
    std::set<std::uint32_t> positions;
    for (const auto& content : wanted)
      positions.insert(content.entry);
    return table->read_files(positions, [&](std::uint32_t position, Source& content) {
      spooled_.emplace(ContentRef{here.layer, position}, spool_.add(content));
    });
  }
  layer.read([&](const LayerEntry&, EntryContent& content) {
    if (wanted.contains(here))
      spooled_.emplace(here, spool_.add(content));
    ++here.entry;
  });
}

StackContents::Opener StackContents::reader() const {
  struct Readers {
    std::map<std::uint32_t, ContentOpener> of_layers;
    ContentOpener of_spool;
  };
  const auto readers = std::make_shared<Readers>();
  return [this, readers](const ContentRef& content) -> std::unique_ptr<Source> {
    if (const auto layer = files_.find(content.layer); layer != files_.end()) {
      auto& open = readers->of_layers[content.layer];
      if (!open)
        open = layer->second->reader();
      return open(content.entry);
    }
    if (const auto found = unpacked_.find(content); found != unpacked_.end()) {
      const auto& [root, path, size] = found->second;
      if (auto file = open_file(root, path, size))
        return std::make_unique<FileSource>(*std::move(file));
      throw Error("'{}' is gone", path.str());
    }
    const auto found = spooled_.find(content);
    if (found == spooled_.end())
      throw Error("content was not set aside");
    if (!readers->of_spool)
      readers->of_spool = spool_.reader();
    return readers->of_spool(found->second);
  };
}

} // namespace cairn
