#include "fs/copy/layer_changes.hpp"

#include "fs/archive/whiteout.hpp"
#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cairn {

namespace {

/// The deepest directory that both paths lie in. @pre neither contains the other
RootedPath common_directory(const RootedPath& a, const RootedPath& b) {
  const auto [end, other] =
      std::mismatch(a.str().begin(), a.str().end(), b.str().begin(), b.str().end());
  const auto same = static_cast<std::size_t>(end - a.str().begin());
  const auto slash = a.str().rfind('/', same == 0 ? 0 : same - 1);
  return RootedPath::parse(a.str().substr(0, slash));
}

} // namespace

bool LayerChanges::is_hidden(const RootedPath& path) const {
  // Whatever hides it sorts before it, and so does all that lies below that. So the last one before
  // it does, or has a common directory with it that does, or nothing hides it.
  auto above = path.parent();
  while (!hiding_.empty()) {
    const auto next = hiding_.upper_bound(above);
    if (next == hiding_.begin())
      return false;
    const auto& last = *std::prev(next);
    if (last.contains(above))
      return true;
    above = common_directory(last, above);
  }
  return false;
}

const Metadata& LayerChanges::meta_of(const Change& change) const {
  if (change.below)
    return below_.find(*change.below)->meta;
  return change.file ? files_[*change.file].meta : change.directory;
}

const Metadata* LayerChanges::find(const RootedPath& path) const {
  const auto change = changes_.find(path);
  if (change != changes_.end())
    return &meta_of(change->second);
  if (is_hidden(path))
    return nullptr;
  const auto* node = below_.find(path);
  return node != nullptr ? &node->meta : nullptr;
}

RootedPath LayerChanges::resolve(const RootedPath& path, Tree::Last last) const {
  return resolve_links(path, last, [&](const RootedPath& name) -> std::optional<std::string> {
    const auto* meta = find(name);
    if (meta == nullptr || meta->type != FileType::symlink)
      return std::nullopt;
    return meta->link_target;
  });
}

void LayerChanges::put(const RootedPath& path, Change change) {
  if (path.name().starts_with(whiteout_prefix))
    throw Error("'{}' cannot be in an image: layers keep names that start with {} for deletions",
                path.str(), whiteout_prefix);
  const auto* node = below_.find(path);
  const bool over_tree = node != nullptr && node->meta.type == FileType::directory;
  const auto old = changes_.find(path);
  // A directory merges with that of the Tree unless something else came between them.
  if (change.file || change.below)
    change.hides = over_tree;
  else if (old != changes_.end())
    change.hides = old->second.hides;
  else
    change.hides = over_tree && is_hidden(path);
  if (change.file || change.below)
    forget_below(path);
  if (change.hides)
    hiding_.insert(path);
  else
    hiding_.erase(path);
  changes_.insert_or_assign(path, std::move(change));
}

void LayerChanges::forget_below(const RootedPath& path) {
  const auto behind = [&](auto last, auto end, const auto& path_of) {
    while (last != end && path.contains(path_of(*last)))
      ++last;
    return last;
  };
  const auto change = changes_.upper_bound(path);
  changes_.erase(change, behind(change, changes_.end(), [](const auto& e) { return e.first; }));
  const auto hiding = hiding_.upper_bound(path);
  hiding_.erase(hiding, behind(hiding, hiding_.end(), [](const auto& e) { return e; }));
}

void LayerChanges::put_directory(const RootedPath& path, Metadata meta) {
  Change change;
  change.directory = std::move(meta);
  put(path, std::move(change));
}

LayerChanges::FileNumber LayerChanges::put_file(const RootedPath& path, Metadata meta,
                                                CopyContent content) {
  files_.push_back({std::move(meta), std::move(content)});
  put_name(path, files_.size() - 1);
  return files_.size() - 1;
}

void LayerChanges::put_name(const RootedPath& path, FileNumber file) {
  Change change;
  change.file = file;
  put(path, std::move(change));
}

void LayerChanges::put_name_of_below(const RootedPath& path, const RootedPath& target) {
  Change change;
  change.below = target;
  put(path, std::move(change));
}

std::optional<LayerChanges::FileNumber> LayerChanges::file_at(const RootedPath& path) const {
  const auto change = changes_.find(path);
  return change != changes_.end() ? change->second.file : std::nullopt;
}

void LayerChanges::set_metadata(FileNumber file, Metadata meta) {
  files_[file].meta = std::move(meta);
}

void LayerChanges::make_directories(const RootedPath& path, const Metadata& made) {
  RootedPath at;
  for (const auto part : path.components()) {
    at = at.child(part);
    const auto* meta = find(at);
    if (meta == nullptr)
      put_directory(at, made);
    else if (meta->type != FileType::directory)
      throw Error("cannot make directory '{}': '{}' is no directory", path.str(), at.str());
  }
}

void LayerChanges::add_above(const RootedPath& path, Extras& extras) const {
  for (auto at = path.parent(); !at.is_root(); at = at.parent()) {
    if (changes_.contains(at) || extras.contains(at))
      return;
    const auto* node = below_.find(at);
    if (node != nullptr && !node->implied)
      extras.emplace(at, node->meta);
  }
}

void LayerChanges::add_whiteouts(const RootedPath& directory, Extras& extras) const {
  for (const auto& [name, child] : below_.find(directory)->children)
    if (!changes_.contains(directory.child(name)))
      extras.emplace(directory.child(std::string(whiteout_prefix) + name), Metadata());
}

CopyPlan LayerChanges::finish() const {
  Extras extras;
  for (const auto& [path, change] : changes_) {
    add_above(path, extras);
    if (change.hides && !change.file && !change.below)
      add_whiteouts(path, extras);
  }
  CopyPlan plan;
  const auto add = [&plan](LayerEntry entry, CopyContent content) {
    plan.entries.push_back(std::move(entry));
    plan.contents.push_back(std::move(content));
  };
  std::vector<std::optional<RootedPath>> first_names(files_.size());
  auto extra = extras.begin();
  for (const auto& [path, change] : changes_) {
    for (; extra != extras.end() && extra->first < path; ++extra)
      add({extra->first, extra->second, {}}, {});
    LayerEntry entry{path, meta_of(change), change.below};
    if (change.file && first_names[*change.file])
      entry.hard_link = first_names[*change.file];
    else if (change.file)
      first_names[*change.file] = path;
    const bool has_content = change.file && !entry.hard_link;
    add(std::move(entry), has_content ? files_[*change.file].content : CopyContent());
  }
  for (; extra != extras.end(); ++extra)
    add({extra->first, extra->second, {}}, {});
  return plan;
}

} // namespace cairn
