#include "fs/copy/layer_changes.hpp"

#include "fs/archive/path_parts.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <map>
#include <utility>

namespace cairn {

namespace {

constexpr std::uint32_t most_files = (std::uint32_t{1} << 29U) - 1; // what a Change can name

} // namespace

LayerChanges::LayerChanges(const Tree& below) : below_(below) {
  changes_.push_back(Change());
}

LayerChanges::Place LayerChanges::look(const RootedPath& path) const {
  Place place;
  auto at = NameTree::root;
  std::string_view rest = path.str();
  for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest)) {
    place.is_hidden = place.is_hidden || changes_[at].hides != 0;
    at = names_.child(at, part);
    if (at == NameTree::none)
      return place;
  }
  if (changes_[at].kind != Change::Kind::none)
    place.change = changes_[at];
  return place;
}

/// The node of the Tree that a place shows, if it does not show a file of the changes.
std::optional<Tree::Node> LayerChanges::node_of(const Place& place, const RootedPath& path) const {
  if (place.change && place.change->kind == Change::Kind::below)
    return below_.find(below_names_[place.change->number]);
  return place.change || place.is_hidden ? std::nullopt : below_.find(path);
}

std::optional<Metadata> LayerChanges::find(const RootedPath& path) const {
  const auto place = look(path);
  if (const auto node = node_of(place, path))
    return node->meta();
  return place.change ? std::optional(metadata_.get(files_[place.change->number])) : std::nullopt;
}

std::optional<FileType> LayerChanges::type(const RootedPath& path) const {
  const auto place = look(path);
  if (const auto node = node_of(place, path))
    return node->type();
  return place.change ? std::optional(metadata_.type(files_[place.change->number])) : std::nullopt;
}

std::optional<std::string> LayerChanges::link_target(const RootedPath& path) const {
  if (type(path) != FileType::symlink)
    return std::nullopt;
  return find(path)->link_target;
}

RootedPath LayerChanges::resolve(const RootedPath& path, Tree::Last last) const {
  return resolve_links(path, last, [&](const RootedPath& name) { return link_target(name); });
}

/// The number of a directory. Changes come in many in one directory.
NameTree::Number LayerChanges::enter(const RootedPath& directory) {
  if (last_directory_ != directory) {
    last_number_ = directory.is_root() ? NameTree::root : name_of(directory);
    last_directory_ = directory;
  }
  return last_number_;
}

NameTree::Number LayerChanges::name_of(const RootedPath& path) {
  auto at = NameTree::root;
  std::string_view rest = path.str();
  for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest)) {
    auto next = names_.child(at, part);
    if (next == NameTree::none) {
      next = names_.add(at, part);
      if (next == changes_.size())
        changes_.push_back(Change());
      changes_[next] = Change();
    }
    at = next;
  }
  return at;
}

void LayerChanges::put(const RootedPath& path, Change change) {
  if (path.name().starts_with(whiteout_prefix))
    throw Error("'{}' cannot be in an image: layers keep names that start with {} for deletions",
                path.str(), whiteout_prefix);
  const auto node = below_.find(path);
  const bool over_tree = node && node->is_directory();
  const auto old = look(path);
  const bool is_directory = change.kind == Change::Kind::directory;
  // A directory merges with that of the Tree unless something else came between them.
  if (!is_directory)
    change.hides = over_tree ? 1 : 0;
  else if (old.change)
    change.hides = old.change->hides;
  else
    change.hides = over_tree && old.is_hidden ? 1 : 0;
  auto number = NameTree::root;
  if (!path.is_root()) {
    const auto above = enter(path.parent());
    number = names_.child(above, path.name());
    if (number == NameTree::none) {
      number = names_.add(above, path.name());
      if (number == changes_.size())
        changes_.push_back(Change());
    }
  }
  if (!is_directory && names_.has_children(number)) {
    names_.remove_children(number);
    last_directory_ = RootedPath();
    last_number_ = NameTree::root;
  }
  changes_[number] = change;
}

LayerChanges::FileNumber LayerChanges::add_file(const Metadata& meta, const CopyContent& content) {
  if (files_.size() == most_files)
    throw Error("more than {} files are copied", most_files);
  files_.push_back(metadata_.add(meta));
  contents_.push_back(content);
  return static_cast<FileNumber>(files_.size() - 1);
}

void LayerChanges::put_directory(const RootedPath& path, const Metadata& meta) {
  Change change;
  change.kind = Change::Kind::directory;
  if (const auto old = look(path).change; old && old->kind == Change::Kind::directory) {
    change.number = old->number;
    set_metadata(change.number, meta);
  } else {
    change.number = add_file(meta, {}) & most_files;
  }
  put(path, change);
}

LayerChanges::FileNumber LayerChanges::put_file(const RootedPath& path, const Metadata& meta,
                                                const CopyContent& content) {
  Change change;
  change.kind = Change::Kind::file;
  change.number = add_file(meta, content) & most_files;
  put(path, change);
  return change.number;
}

void LayerChanges::put_name(const RootedPath& path, FileNumber file) {
  Change change;
  change.kind = Change::Kind::file;
  change.number = file & most_files;
  several_.insert(file);
  put(path, change);
}

void LayerChanges::put_name_of_below(const RootedPath& path, const RootedPath& target) {
  Change change;
  change.kind = Change::Kind::below;
  change.number = static_cast<std::uint32_t>(below_names_.size()) & most_files;
  below_names_.push_back(target);
  put(path, change);
}

std::optional<LayerChanges::FileNumber> LayerChanges::file_at(const RootedPath& path) const {
  const auto change = look(path).change;
  return change && change->kind == Change::Kind::file ? std::optional<FileNumber>(change->number)
                                                      : std::nullopt;
}

void LayerChanges::set_metadata(FileNumber file, const Metadata& meta) {
  files_[file] = metadata_.add(meta);
}

void LayerChanges::make_directories(const RootedPath& path, const Metadata& made) {
  RootedPath at;
  for (const auto part : path.components()) {
    at = at.child(part);
    const auto found = type(at);
    if (!found)
      put_directory(at, made);
    else if (found != FileType::directory)
      throw Error("cannot make directory '{}': '{}' is no directory", path.str(), at.str());
  }
}

/// Writes the names down in their order, each with what is above it.
class LayerChanges::Finish {
public:
  explicit Finish(const LayerChanges& all) : all_(all), contents_(all.contents_) {}

  CopyPlan run() {
    add(RootedPath(), NameTree::root);
    plan_.contents = contents_.finish();
    return std::move(plan_);
  }

private:
  void add(const RootedPath& path, NameTree::Number number) {
    const auto change = all_.changes_[number];
    if (change.kind != Change::Kind::none)
      add_change(path, change);
    else if (!path.is_root())
      add_above(path);
    std::vector<std::string> whiteouts;
    if (change.hides != 0 && change.kind == Change::Kind::directory)
      whiteouts = hidden(path, number);
    auto next = whiteouts.begin();
    const auto add_whiteouts = [&](auto is_before) {
      for (; next != whiteouts.end() && is_before(*next); ++next)
        add_extra(path.child(*next), Metadata());
    };
    for (const auto child : all_.names_.children(number)) {
      const auto name = all_.names_.name(child);
      add_whiteouts([&](const std::string& whiteout) { return whiteout < name; });
      add(path.child(name), child);
    }
    add_whiteouts([](const std::string&) { return true; });
  }

  void add_change(const RootedPath& path, const Change& change) {
    LayerEntry entry;
    entry.path = path;
    if (change.kind == Change::Kind::below) {
      entry.hard_link = all_.below_names_[change.number];
      entry.meta = all_.below_.find(*entry.hard_link)->meta();
      return add_extra(entry);
    }
    entry.meta = all_.metadata_.get(all_.files_[change.number]);
    if (change.kind == Change::Kind::file && all_.several_.contains(change.number))
      if (const auto [first, is_new] = first_names_.try_emplace(change.number, path); !is_new)
        entry.hard_link = first->second;
    if (entry.hard_link)
      return add_extra(entry);
    plan_.entries.push_back(entry);
    contents_.add(change.number);
  }

  /// A directory of the Tree that changes lie in.
  void add_above(const RootedPath& path) {
    const auto node = all_.below_.find(path);
    if (node && !node->implied())
      add_extra(path, node->meta());
  }

  /// The whiteouts in a directory that took the place of one of the Tree.
  std::vector<std::string> hidden(const RootedPath& path, NameTree::Number number) const {
    std::vector<std::string> names;
    for (const auto node : all_.below_.find(path)->children()) {
      const auto now = all_.names_.child(number, node.name());
      if (now == NameTree::none || all_.changes_[now].kind == Change::Kind::none)
        names.push_back(std::string(whiteout_prefix) + std::string(node.name()));
    }
    return names;
  }

  void add_extra(const RootedPath& path, const Metadata& meta) { add_extra({path, meta, {}}); }
  void add_extra(const LayerEntry& entry) {
    plan_.entries.push_back(entry);
    contents_.add_none();
  }

  const LayerChanges& all_;
  CopyPlan plan_;
  CopyContents::Choice contents_;
  std::map<FileNumber, RootedPath> first_names_; ///< Of files that have several.
};

CopyPlan LayerChanges::finish() const {
  return Finish(*this).run();
}

} // namespace cairn
