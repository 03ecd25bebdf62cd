#include "builder/execute/squash.hpp"

#include "builder/layers/stack_contents.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace cairn {

namespace {

LayerEntry whiteout(const RootedPath& path) {
  LayerEntry entry;
  entry.path = path.parent().child(".wh." + std::string(path.name()));
  return entry;
}

/// What a Tree with more layers has beyond one with fewer.
class Difference {
public:
  Difference(const Tree& before, const Tree& after, std::size_t base_layers)
      : before_(before), after_(after), base_layers_(base_layers) {}

  std::vector<LayerEntry> entries() {
    after_.walk([&](const RootedPath& path, const Tree::Node& node) {
      if (!path.is_root() && differs(path, node))
        add_with_parents(path);
    });
    before_.walk([&](const RootedPath& path, const Tree::Node&) {
      if (!after_.find(path))
        remove(path);
    });
    std::vector<LayerEntry> list;
    for (const auto& path : paths_)
      list.push_back(entry_of(path));
    list.insert(list.end(), whiteouts_.begin(), whiteouts_.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.path < b.path; });
    return list;
  }

  const std::map<RootedPath, ContentRef>& contents() const { return contents_; }

private:
  bool differs(const RootedPath& path, const Tree::Node& node) const {
    const auto old = before_.find(path);
    if (!old || old->meta() != node.meta() || old->implied() != node.implied())
      return true;
    return node.type() == FileType::regular && node.content().layer >= base_layers_;
  }

  void add_with_parents(const RootedPath& path) {
    for (auto at = path; !at.is_root() && paths_.insert(at).second; at = at.parent()) {
    }
  }

  /// One whiteout for the topmost directory that is gone.
  void remove(const RootedPath& path) {
    const auto parent = after_.find(path.parent());
    if (!parent || !parent->is_directory())
      return;
    whiteouts_.push_back(whiteout(path));
    if (!path.parent().is_root())
      add_with_parents(path.parent());
  }

  LayerEntry entry_of(const RootedPath& path) {
    const auto node = *after_.find(path);
    LayerEntry entry{path, node.meta(), std::nullopt};
    if (entry.has_content()) {
      // Names with the same content in the Tree are one file.
      const auto [known, first] = names_.emplace(node.content(), path);
      if (first)
        contents_.emplace(path, node.content());
      else
        entry.hard_link = known->second;
    }
    return entry;
  }

  const Tree& before_;
  const Tree& after_;
  std::size_t base_layers_;
  std::set<RootedPath> paths_;
  std::vector<LayerEntry> whiteouts_;
  std::map<ContentRef, RootedPath> names_;
  std::map<RootedPath, ContentRef> contents_;
};

} // namespace

LayerContent squashed(LayerStack& stack, std::size_t base_layers, Workspace& workspace) {
  auto base = stack.lowest(base_layers);
  Difference difference(base.tree(), stack.tree(), base_layers);
  LayerContent content;
  content.entries = difference.entries();
  StackContents::Wanted wanted;
  for (const auto& [path, ref] : difference.contents())
    wanted.try_emplace(ref, path);
  auto contents = std::make_shared<const StackContents>(stack, wanted, workspace.temporary());
  content.begin = [where = difference.contents(),
                   contents](const LayerEntries& entries) -> ContentOpener {
    return [&where, &entries, contents, open = contents->reader()](std::size_t n) {
      return open(where.at(entries.path(n)));
    };
  };
  return content;
}

} // namespace cairn
