#include "fs/tree/name_tree.hpp"

#include "fs/archive/path_parts.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace cairn {

// Number 0 is the root, which is in no directory: so as a sibling it stands for none, at level 0.
NameTree::NameTree() {
  nodes_.push_back(Node{texts_.add(""), none, none, none, 0});
}

NameTree::Number NameTree::child(Number directory, std::string_view name) const noexcept {
  auto at = nodes_[directory].children;
  while (at != none) {
    const auto& node = nodes_[at];
    const auto order = name <=> texts_.at(node.name);
    if (order == 0)
      break;
    at = order < 0 ? node.left : node.right;
  }
  return at;
}

std::optional<NameTree::Number> NameTree::find(const RootedPath& path) const noexcept {
  std::string_view rest = path.str();
  auto at = root;
  for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest)) {
    at = child(at, part);
    if (at == none)
      return std::nullopt;
  }
  return at;
}

NameTree::Number NameTree::add(Number directory, std::string_view name) {
  Number found = none;
  const auto top = insert(nodes_[directory].children, name, found);
  nodes_[directory].children = top;
  return found;
}

void NameTree::remove(Number directory, Number child) {
  const auto top = take_out(nodes_[directory].children, name(child));
  nodes_[directory].children = top;
  nodes_[child].left = nodes_[child].right = none;
  free_all(child);
}

void NameTree::remove_children(Number directory) {
  free_all(nodes_[directory].children);
  nodes_[directory].children = none;
}

NameTree::Number NameTree::make(std::string_view name) {
  const Node node{texts_.add(name), none, none, none, 1};
  if (free_ != none) {
    const auto number = free_;
    free_ = nodes_[number].left;
    nodes_[number] = node;
    return number;
  }
  if (nodes_.size() > std::numeric_limits<Number>::max())
    throw Error("there are more than {} files", nodes_.size() - 1);
  nodes_.push_back(node);
  return static_cast<Number>(nodes_.size() - 1);
}

/// Directories may be nested more deeply than calls.
void NameTree::free_all(Number top) {
  std::vector<Number> todo{top};
  while (!todo.empty()) {
    const auto at = todo.back();
    todo.pop_back();
    if (at == none)
      continue;
    todo.insert(todo.end(), {nodes_[at].left, nodes_[at].right, nodes_[at].children});
    nodes_[at] = Node{0, free_, none, none, 0};
    free_ = at;
  }
}

NameTree::Number NameTree::insert(Number top, std::string_view name, Number& found) {
  if (top == none)
    return found = make(name);
  const auto order = name <=> this->name(top);
  if (order == 0)
    return found = top;
  if (order < 0) {
    const auto left = insert(nodes_[top].left, name, found);
    nodes_[top].left = left;
  } else {
    const auto right = insert(nodes_[top].right, name, found);
    nodes_[top].right = right;
  }
  return split(skew(top));
}

NameTree::Number NameTree::take_out(Number top, std::string_view name) {
  if (top == none)
    return none;
  const auto order = name <=> this->name(top);
  if (order < 0) {
    nodes_[top].left = take_out(nodes_[top].left, name);
  } else if (order > 0) {
    nodes_[top].right = take_out(nodes_[top].right, name);
  } else if (nodes_[top].right == none) {
    return nodes_[top].left; // a leaf: there is none
  } else {
    // The next one takes its place.
    auto next = nodes_[top].right;
    while (nodes_[next].left != none)
      next = nodes_[next].left;
    const auto right = take_out(nodes_[top].right, this->name(next));
    nodes_[next].left = nodes_[top].left;
    nodes_[next].right = right;
    nodes_[next].level = nodes_[top].level;
    top = next;
  }
  return lower(top);
}

/// No sibling to the left is on one level with the one above it.
NameTree::Number NameTree::skew(Number top) noexcept {
  const auto left = nodes_[top].left;
  if (top == none || left == none || nodes_[left].level != nodes_[top].level)
    return top;
  nodes_[top].left = nodes_[left].right;
  nodes_[left].right = top;
  return left;
}

/// No three are on one level.
NameTree::Number NameTree::split(Number top) noexcept {
  const auto right = nodes_[top].right;
  if (top == none || right == none || nodes_[nodes_[right].right].level != nodes_[top].level)
    return top;
  nodes_[top].right = nodes_[right].left;
  nodes_[right].left = top;
  ++nodes_[right].level;
  return right;
}

/// Makes up for one that was taken out below.
NameTree::Number NameTree::lower(Number top) noexcept {
  const auto level_of = [&](Number at) { return nodes_[at].level; };
  const auto wanted = std::min(level_of(nodes_[top].left), level_of(nodes_[top].right)) + 1;
  if (wanted < level_of(top)) {
    nodes_[top].level = static_cast<std::uint8_t>(wanted);
    if (const auto right = nodes_[top].right; wanted < level_of(right))
      nodes_[right].level = static_cast<std::uint8_t>(wanted);
  }
  top = skew(top);
  const auto skew_right = [&](Number at) {
    if (at != none && nodes_[at].right != none)
      nodes_[at].right = skew(nodes_[at].right);
  };
  skew_right(top);
  skew_right(nodes_[top].right);
  top = split(top);
  if (nodes_[top].right != none)
    nodes_[top].right = split(nodes_[top].right);
  return top;
}

void NameTree::Children::Iterator::go_down(Number top) noexcept {
  for (; top != none; top = names_->nodes_[top].left)
    way_[depth_++] = top;
}

NameTree::Children::Iterator& NameTree::Children::Iterator::operator++() noexcept {
  const auto last = way_[--depth_];
  go_down(names_->nodes_[last].right);
  return *this;
}

NameTree::Children::Iterator NameTree::Children::begin() const noexcept {
  Iterator first(names_);
  first.go_down(top_);
  return first;
}

} // namespace cairn
