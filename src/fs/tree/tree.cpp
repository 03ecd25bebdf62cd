#include "fs/tree/tree.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/path_parts.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

namespace {

// Directories of which a layer holds only what is in them.
constexpr std::uint64_t most_made = 100'000;
constexpr std::uint64_t made_for_each = 8;

constexpr std::uint32_t most_layers = (std::uint32_t{1} << 31U) - 1;

using Number = NameTree::Number;

/// Reads links where resolve_links() goes, which is down one name, up, or back to the root: so the
/// node of each name is found from that of the one before.
class LinksOnTheWay {
public:
  explicit LinksOnTheWay(const Tree& tree) : way_({{0, tree.find(RootedPath())}}) {}

  std::optional<std::string> operator()(const RootedPath& path) {
    const auto size_above = path.str().rfind('/');
    while (way_.back().size > size_above)
      way_.pop_back();
    const auto& above = way_.back().node;
    auto node = above ? above->child(path.name()) : std::nullopt;
    way_.push_back({path.str().size(), node});
    if (!node || node->type() != FileType::symlink)
      return std::nullopt;
    return std::string(node->link_target());
  }

private:
  struct Place {
    std::size_t size = 0; ///< Of the path, without the root's slash.
    std::optional<Tree::Node> node;
  };

  std::vector<Place> way_;
};

} // namespace

Tree::State::State() {
  Row root;
  root.meta = metadata.add(implied_metadata());
  root.implied = 1;
  rows.push_back(root);
}

std::optional<Tree::Node> Tree::Node::child(std::string_view name) const noexcept {
  const auto number = state_->names.child(number_, name);
  return number != NameTree::none ? std::optional(Node(*state_, number)) : std::nullopt;
}

std::optional<Tree::Node> Tree::find(const RootedPath& path) const {
  const auto number = state_->names.find(path);
  return number ? std::optional(Node(*state_, *number)) : std::nullopt;
}

RootedPath Tree::resolve(const RootedPath& path, Last last) const {
  return resolve_links(path, last, LinksOnTheWay(*this));
}

std::optional<Tree::Node> Tree::lookup(const RootedPath& path, Last last) const {
  return find(resolve(path, last));
}

void Tree::walk(const std::function<void(const RootedPath&, const Node&)>& visit) const {
  const auto visit_all = [&](const auto& self, const RootedPath& path, const Node& node) -> void {
    visit(path, node);
    for (const auto child : node.children())
      self(self, path.child(child.name()), child);
  };
  visit_all(visit_all, RootedPath(), Node(*state_, NameTree::root));
}

/// Adds the entries of one layer, in their order.
class Tree::Applier {
public:
  Applier(Tree& tree, std::uint32_t layer)
      : tree_(tree), state_(tree.state_.change()), names_(state_.names), layer_(layer) {}

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
    row(NameTree::root) = row_of(entry.meta);
  }

  void add_file(const LayerEntry& entry, std::uint32_t number) {
    const auto node = replace(entry.path, entry.meta.type);
    row(node) = row_of(entry.meta);
    row(node).content = {layer_, number};
  }

  void add_link(const LayerEntry& entry) {
    const auto node = replace(entry.path, FileType::regular);
    row(node) = row_of(Metadata());
    const auto target = names_.find(tree_.resolve(*entry.hard_link, Last::keep));
    if (!target || *target == node)
      throw Error("entry '{}' is a hard link to '{}', which does not exist", entry.path.str(),
                  entry.hard_link->str());
    if (type(*target) == FileType::directory)
      throw Error("entry '{}' is a hard link to the directory '{}'", entry.path.str(),
                  entry.hard_link->str());
    row(node).meta = row(*target).meta;
    row(node).content = row(*target).content;
  }

  /// The node of that name. Only when old and new are directories it keeps what is in it.
  Number replace(const RootedPath& path, FileType type) {
    const auto parent = enter(path.parent());
    const auto old = names_.child(parent, path.name());
    if (old == NameTree::none)
      return add_name(parent, path.name());
    const auto old_type = this->type(old);
    if (old_type == FileType::directory && type != FileType::directory)
      names_.remove_children(old);
    // Names that led through it lead elsewhere now.
    if (old_type != FileType::regular &&
        !(old_type == FileType::directory && type == FileType::directory))
      forget_parent();
    return old;
  }

  Number add_name(Number parent, std::string_view name) {
    const auto added = names_.add(parent, name);
    if (added == state_.rows.size())
      state_.rows.push_back(Row());
    return added;
  }

  void remove(const RootedPath& path, const Whiteout& whiteout) {
    if (whiteout.kind == Whiteout::Kind::none)
      return;
    const auto parent = names_.find(tree_.resolve(path.parent(), Last::follow));
    if (!parent)
      return;
    forget_parent();
    if (whiteout.kind == Whiteout::Kind::opaque) {
      remove_lower_children(*parent);
      return;
    }
    const auto found = names_.child(*parent, whiteout.name);
    if (found != NameTree::none && !keep_this_layer(found))
      names_.remove(*parent, found);
  }

  void remove_lower_children(Number directory) {
    if (is_cleared(directory))
      return;
    std::vector<Number> gone;
    bool keep_some = false;
    for (const auto child : names_.children(directory)) {
      if (keep_this_layer(child))
        keep_some = true;
      else
        gone.push_back(child);
    }
    if (!keep_some)
      names_.remove_children(directory);
    else
      for (const auto child : gone)
        names_.remove(directory, child);
  }

  /// Whether this was asked before. From then on only this layer has something in the directory,
  /// and so it is when its number becomes that of another one.
  bool is_cleared(Number directory) {
    if (directory >= cleared_.size())
      cleared_.resize(names_.limit());
    const bool known = cleared_[directory];
    cleared_[directory] = true;
    return known;
  }

  /// Removes what lower layers put at a node and below. False when nothing remains.
  bool keep_this_layer(Number node) {
    remove_lower_children(node);
    if (row(node).layer == layer_)
      return true;
    if (!names_.has_children(node))
      return false;
    make_implied(node);
    return true;
  }

  void make_implied(Number node) {
    row(node) = row_of(implied_metadata());
    row(node).implied = 1;
  }

  /// The directory of that name. Streams name one directory many times in a row.
  Number enter(const RootedPath& path) {
    if (!last_parent_ || last_path_ != path.str()) {
      last_parent_ = find_or_make(path);
      last_path_ = path.str();
    }
    return *last_parent_;
  }

  void forget_parent() { last_parent_.reset(); }

  Number find_or_make(const RootedPath& path) {
    if (const auto direct = try_make(path))
      return *direct;
    const auto resolved = tree_.resolve(path, Last::follow);
    if (resolved.str().size() > max_path)
      throw Error("path '{}' is too long when its symbolic links are followed", path.str());
    const auto made = try_make(resolved);
    if (!made)
      throw Error("path '{}' leads to a symbolic link", path.str());
    return *made;
  }

  /// Nothing when there is a symbolic link on the way.
  std::optional<Number> try_make(const RootedPath& path) {
    auto at = NameTree::root;
    std::string_view rest = path.str();
    for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest)) {
      auto found = names_.child(at, part);
      if (found != NameTree::none && type(found) == FileType::symlink)
        return std::nullopt;
      if (found == NameTree::none || type(found) != FileType::directory) {
        count_implied();
        found = found == NameTree::none ? add_name(at, part) : found;
        make_implied(found);
      }
      at = found;
    }
    return at;
  }

  /// A name of a few kilobytes can ask for thousands of them.
  void count_implied() {
    if (++made_ > most_made + made_for_each * entries_)
      throw Error("its entries lie in more than {} directories that have no entry", made_ - 1);
  }

  Row& row(Number node) { return state_.rows[node]; }
  FileType type(Number node) { return state_.metadata.type(row(node).meta); }

  Row row_of(const Metadata& meta) {
    Row row;
    row.meta = state_.metadata.add(meta);
    row.layer = layer_ & most_layers;
    return row;
  }

  Tree& tree_;
  State& state_;
  NameTree& names_;
  std::uint32_t layer_;
  std::uint64_t entries_ = 0;
  std::uint64_t made_ = 0; ///< Directories that had no entry.
  std::vector<bool> cleared_;
  std::optional<Number> last_parent_;
  std::string last_path_;
};

std::uint32_t Tree::apply(const LayerIndex& layer) {
  const auto number = layer_count();
  Applier applier(*this, number);
  for (std::size_t n = 0; n < layer.entries.size(); ++n)
    applier.add(layer.entries[n], static_cast<std::uint32_t>(n));
  ++state_.change().layers;
  return number;
}

} // namespace cairn
