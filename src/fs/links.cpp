#include "fs/links.hpp"

#include "util/error.hpp"

#include <algorithm>
#include <deque>
#include <string_view>

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

RootedPath resolve_links(const RootedPath& path, Tree::Last last, const LinkReader& link_at) {
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
    const bool kept = todo.empty() && last == Tree::Last::keep;
    const auto target = kept ? std::nullopt : link_at(next);
    if (!target) {
      at = std::move(next);
      continue;
    }
    if (++links > max_links)
      throw Error("'{}': too many levels of symbolic links", path.str());
    if (target->starts_with('/'))
      at = RootedPath();
    const auto parts = split_path(*target);
    todo.insert(todo.begin(), parts.begin(), parts.end());
  }
  return at;
}

} // namespace cairn
