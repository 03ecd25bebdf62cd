#include "fs/tree/view.hpp"

#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

std::string FileView::why_hidden(const RootedPath&) const {
  return {};
}

std::optional<FileStamp> FileView::stamp(const RootedPath&) const {
  return std::nullopt;
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
  ViewedFile file{node.meta(), std::nullopt};
  if (node.type() == FileType::regular)
    file.identity = FileIdentity{node.content().layer, node.content().entry};
  return file;
}

} // namespace

std::optional<ViewedFile> TreeView::stat(const RootedPath& path) const {
  const auto node = tree_.find(path);
  return node ? std::optional(viewed(*node)) : std::nullopt;
}

void TreeView::list(const RootedPath& directory, const Visitor& visit) const {
  const auto node = tree_.find(directory);
  if (!node || !node->is_directory())
    throw Error("'{}' is no directory in {}", directory.str(), what_);
  for (const auto child : node->children())
    visit(std::string(child.name()), viewed(child));
}

std::unique_ptr<Source> TreeView::open(const RootedPath& path) const {
  const auto node = tree_.find(path);
  if (!node || node->type() != FileType::regular)
    throw Error("'{}' is no regular file in {}", path.str(), what_);
  return open_(*node);
}

} // namespace cairn
