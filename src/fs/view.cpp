#include "fs/view.hpp"

#include "util/error.hpp"

#include <deque>
#include <utility>

namespace cairn {

namespace {

constexpr int max_links = 255;

std::deque<std::string> split_path(std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (end != 0 && path.substr(0, end) != ".")
      parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

} // namespace

std::string FileView::why_hidden(const RootedPath&) const {
  return {};
}

RootedPath FileView::resolve(const RootedPath& path, Tree::Last last) const {
  RootedPath at;
  auto todo = split_path(path.str());
  for (int links = 0; !todo.empty();) {
    const auto name = std::move(todo.front());
    todo.pop_front();
    if (name == "..") {
      at = at.parent();
      continue;
    }
    auto next = at.child(name);
    const auto file = todo.empty() && last == Tree::Last::keep ? std::nullopt : stat(next);
    if (!file || file->meta.type != FileType::symlink) {
      at = std::move(next);
      continue;
    }
    if (++links > max_links)
      throw Error("'{}': too many levels of symbolic links", path.str());
    const auto& target = file->meta.link_target;
    if (target.starts_with('/'))
      at = RootedPath();
    const auto parts = split_path(target);
    todo.insert(todo.begin(), parts.begin(), parts.end());
  }
  return at;
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
