#include "fs/tree/tree.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/path_parts.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

using Node = Tree::Node;

// Directories of which a layer holds only what is in them.
constexpr std::uint64_t most_made = 100'000;
constexpr std::uint64_t made_for_each = 8;

std::unique_ptr<Node> clone(const Node& node) {
  auto copy = std::make_unique<Node>();
  copy->meta = node.meta;
  copy->content = node.content;
  copy->layer = node.layer;
  copy->implied = node.implied;
  for (const auto& [name, child] : node.children)
    copy->children.emplace_hint(copy->children.end(), name, clone(*child));
  return copy;
}

Node* child_of(const Node* node, std::string_view name) {
  if (node == nullptr)
    return nullptr;
  const auto found = node->children.find(name);
  return found == node->children.end() ? nullptr : found->second.get();
}

/// Reads links where resolve_links() goes, which is down one name, up, or back to the root: so the
/// node of each name is found from that of the one before.
class LinksOnTheWay {
public:
  explicit LinksOnTheWay(const Node& root) : way_({{0, &root}}) {}

  std::optional<std::string> operator()(const RootedPath& path) {
    const auto size_above = path.str().rfind('/');
    while (way_.back().size > size_above)
      way_.pop_back();
    const auto* node = child_of(way_.back().node, path.name());
    way_.push_back({path.str().size(), node});
    if (node == nullptr || node->meta.type != FileType::symlink)
      return std::nullopt;
    return node->meta.link_target;
  }

private:
  struct Place {
    std::size_t size = 0; ///< Of the path, without the root's slash.
    const Node* node = nullptr;
  };

  std::vector<Place> way_;
};

Node* find_node(const Node* node, const RootedPath& path) {
  std::string_view rest = path.str();
  auto* found = const_cast<Node*>(node);
  for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest))
    found = child_of(found, part);
  return found;
}

} // namespace

Tree::Tree() : root_(std::make_unique<Node>()) {
  root_->meta = implied_metadata();
  root_->implied = true;
}

Tree::Tree(const Tree& other) : root_(clone(*other.root_)), layers_(other.layers_) {}
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(Tree&&) noexcept = default;
Tree::~Tree() = default;

const Tree::Node* Tree::find(const RootedPath& path) const {
  return find_node(root_.get(), path);
}

RootedPath Tree::resolve(const RootedPath& path, Last last) const {
  return resolve_links(path, last, LinksOnTheWay(*root_));
}

const Tree::Node* Tree::lookup(const RootedPath& path, Last last) const {
  return find(resolve(path, last));
}

void Tree::walk(const std::function<void(const RootedPath&, const Node&)>& visit) const {
  const auto visit_all = [&](const auto& self, const RootedPath& path, const Node& node) -> void {
    visit(path, node);
    for (const auto& [name, child] : node.children)
      self(self, path.child(name), *child);
  };
  visit_all(visit_all, RootedPath(), *root_);
}

/// Adds the entries of one layer, in their order.
class Tree::Applier {
public:
  Applier(Tree& tree, std::uint32_t layer) : tree_(tree), layer_(layer) {}

  void add(const LayerEntry& entry, std::uint32_t number) {
    ++entries_;
    if (entry.path.is_root())
      set_root(entry);
    else if (const auto whiteout = parse_whiteout(entry.path))
      remove(entry.path, *whiteout);
    else if (entry.hard_link)
      add_link(entry);
    else
      add_file(entry, number);
  }

private:
  void set_root(const LayerEntry& entry) {
    if (entry.meta.type != FileType::directory || entry.hard_link)
      throw Error("entry '{}' is no directory", entry.path.str());
    tree_.root_->meta = entry.meta;
    tree_.root_->layer = layer_;
    tree_.root_->implied = false;
  }

  void add_file(const LayerEntry& entry, std::uint32_t number) {
    auto& node = replace(entry.path, entry.meta.type);
    node.meta = entry.meta;
    node.content = {layer_, number};
    node.layer = layer_;
    node.implied = false;
  }

  void add_link(const LayerEntry& entry) {
    auto& node = replace(entry.path, FileType::regular);
    node.layer = layer_;
    const auto* target = tree_.lookup(*entry.hard_link, Last::keep);
    if (target == nullptr || target == &node)
      throw Error("entry '{}' is a hard link to '{}', which does not exist", entry.path.str(),
                  entry.hard_link->str());
    if (target->meta.type == FileType::directory)
      throw Error("entry '{}' is a hard link to the directory '{}'", entry.path.str(),
                  entry.hard_link->str());
    node.meta = target->meta;
    node.content = target->content;
  }

  /// The node of that name, new unless old and new are directories.
  Node& replace(const RootedPath& path, FileType type) {
    auto& slot = enter(path.parent()).children[std::string(path.name())];
    const bool merge = slot && slot->meta.type == FileType::directory && //
                       type == FileType::directory;
    if (!merge) {
      if (slot && slot->meta.type != FileType::regular)
        forget_parent();
      slot = std::make_unique<Node>();
    }
    return *slot;
  }

  void remove(const RootedPath& path, const Whiteout& whiteout) {
    if (whiteout.kind == Whiteout::Kind::none)
      return;
    auto* parent = find_node(tree_.root_.get(), tree_.resolve(path.parent(), Last::follow));
    if (parent == nullptr)
      return;
    forget_parent();
    if (whiteout.kind == Whiteout::Kind::opaque) {
      remove_lower_children(*parent);
      return;
    }
    const auto found = parent->children.find(whiteout.name);
    if (found != parent->children.end() && !keep_this_layer(*found->second))
      parent->children.erase(found);
  }

  void remove_lower_children(Node& node) {
    std::erase_if(node.children, [&](auto& child) { return !keep_this_layer(*child.second); });
  }

  /// Removes what lower layers put at a node and below. False when nothing remains.
  bool keep_this_layer(Node& node) {
    remove_lower_children(node);
    if (node.layer == layer_)
      return true;
    if (node.children.empty())
      return false;
    make_implied(node);
    return true;
  }

  void make_implied(Node& node) {
    node.meta = implied_metadata();
    node.layer = layer_;
    node.implied = true;
  }

  /// The directory of that name. Streams name one directory many times in a row.
  Node& enter(const RootedPath& path) {
    if (last_parent_ == nullptr || last_path_ != path.str()) {
      last_parent_ = &find_or_make(path);
      last_path_ = path.str();
    }
    return *last_parent_;
  }

  void forget_parent() { last_parent_ = nullptr; }

  Node& find_or_make(const RootedPath& path) {
    if (auto* direct = try_make(path))
      return *direct;
    const auto resolved = tree_.resolve(path, Last::follow);
    if (resolved.str().size() > max_path)
      throw Error("path '{}' is too long when its symbolic links are followed", path.str());
    auto* made = try_make(resolved);
    if (made == nullptr)
      throw Error("path '{}' leads to a symbolic link", path.str());
    return *made;
  }

  /// Null when there is a symbolic link on the way.
  Node* try_make(const RootedPath& path) {
    auto* node = tree_.root_.get();
    std::string_view rest = path.str();
    for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest)) {
      auto found = node->children.find(part);
      if (found == node->children.end())
        found = node->children.emplace(part, nullptr).first;
      auto& slot = found->second;
      if (slot && slot->meta.type == FileType::symlink)
        return nullptr;
      if (!slot || slot->meta.type != FileType::directory)
        slot = implied_directory();
      node = slot.get();
    }
    return node;
  }

  /// A name of a few kilobytes can ask for thousands of them.
  std::unique_ptr<Node> implied_directory() {
    if (++made_ > most_made + made_for_each * entries_)
      throw Error("its entries lie in more than {} directories that have no entry", made_ - 1);
    auto node = std::make_unique<Node>();
    make_implied(*node);
    return node;
  }

  Tree& tree_;
  std::uint32_t layer_;
  std::uint64_t entries_ = 0;
  std::uint64_t made_ = 0; ///< Directories that had no entry.
  Node* last_parent_ = nullptr;
  std::string last_path_;
};

std::uint32_t Tree::apply(const LayerIndex& layer) {
  Applier applier(*this, layers_);
  for (std::size_t n = 0; n < layer.entries.size(); ++n)
    applier.add(layer.entries[n], static_cast<std::uint32_t>(n));
  return layers_++;
}

} // namespace cairn
