#include "fs/tree/view.hpp"

#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

std::string FileView::why_hidden(const RootedPath&) const {
  return {};
}

RootedPath FileView::resolve(const RootedPath& path, Tree::Last last) const {
  return resolve_links(path, last, [&](const RootedPath& name) -> std::optional<std::string> {
    auto file = stat(name);
    if (!file || file->meta.type != FileType::symlink)
      return std::nullopt;
    return std::move(file->meta.link_target);
  });
}

TreeView::TreeView(const Tree& tree, Opener open, std::string what)
    : tree_(tree), open_(std::move(open)), what_(std::move(what)) {}

namespace {

ViewedFile viewed(const Tree::Node& node) {
  ViewedFile file{node.meta, std::nullopt};
  if (node.meta.type == FileType::regular)
    file.identity = FileIdentity{node.content.layer, node.content.entry};
  return file;
}

} // namespace

std::optional<ViewedFile> TreeView::stat(const RootedPath& path) const {
  const auto* node = tree_.find(path);
  return node != nullptr ? std::optional(viewed(*node)) : std::nullopt;
}

std::vector<FileView::Named> TreeView::list(const RootedPath& directory) const {
  const auto* node = tree_.find(directory);
  if (node == nullptr || node->meta.type != FileType::directory)
    throw Error("'{}' is no directory in {}", directory.str(), what_);
  std::vector<Named> files;
  files.reserve(node->children.size());
  for (const auto& [name, child] : node->children)
    files.push_back({name, viewed(*child)});
  return files;
}

std::unique_ptr<Source> TreeView::open(const RootedPath& path) const {
  const auto* node = tree_.find(path);
  if (node == nullptr || node->meta.type != FileType::regular)
    throw Error("'{}' is no regular file in {}", path.str(), what_);
  return open_(*node);
}

} // namespace cairn
