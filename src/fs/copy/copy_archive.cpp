#include "fs/copy/copy_archive.hpp"

#include "fs/archive/path_parts.hpp"
#include "fs/copy/copy_walk.hpp"
#include "fs/tree/links.hpp"
#include "util/error.hpp"

#include <utility>
#include <vector>

namespace cairn {

namespace {

/// Where names in an archive lead, the links in them followed. Archives name what is in one
/// directory one after the other, and deep ones level by level: so the way to the last name is
/// kept.
class Way {
public:
  Way(const LayerChanges& changes, const RootedPath& root) : changes_(changes), root_(root) {
    levels_.push_back({"", RootedPath(), root});
  }

  /// A directory, or what is taken for one because it does not exist. `arrived` is told of each new
  /// part of the way, once.
  template<class Arrived>
  const RootedPath& to(const RootedPath& path, const Arrived& arrived) {
    std::string_view rest = path.str();
    std::size_t depth = 1;
    for (auto name = pop_component(rest); !name.empty(); name = pop_component(rest), ++depth) {
      if (depth < levels_.size() && levels_[depth].name == name)
        continue;
      levels_.resize(depth);
      levels_.push_back(behind(levels_.back(), name));
      arrived(levels_.back().outside);
    }
    levels_.resize(depth);
    return levels_.back().outside;
  }

  /// What was there may be something else now.
  void forget() { levels_.resize(1); }

private:
  struct Level {
    std::string name;   ///< As the archive has it.
    RootedPath inside;  ///< Where that leads, seen from the root of the archive.
    RootedPath outside; ///< The same in the changes.
  };

  Level behind(const Level& above, std::string_view name) const {
    Level level{std::string(name), above.inside.child(name), above.outside.child(name)};
    if (changes_.type(level.outside) != FileType::symlink)
      return level;
    level.inside = followed(level.inside);
    level.outside = in_draft(level.inside);
    return level;
  }

  // A link that leads to nothing cannot be made a directory.
  RootedPath followed(const RootedPath& path) const {
    return resolve_links(
        path,
        [&](const RootedPath& name) -> std::optional<std::string> {
          return changes_.link_target(in_draft(name));
        },
        [&](const RootedPath& end) {
          if (!changes_.type(in_draft(end)))
            throw Error("it lies behind a symbolic link to '{}', which does not exist",
                        in_draft(end).str());
        });
  }

  RootedPath in_draft(const RootedPath& inside) const {
    return inside.is_root() ? root_
                            : RootedPath::parse(root_.str() + "/" + std::string(inside.relative()));
  }

  const LayerChanges& changes_;
  RootedPath root_;
  std::vector<Level> levels_;
};

class Merge {
public:
  Merge(LayerChanges& changes, const CopyRequest& request, const RootedPath& root)
      : changes_(changes), owner_(request.owner), root_(root), way_(changes, root),
        link_way_(changes, root) {
    parent_.type = FileType::directory;
    parent_.mode = 0755;
    parent_.mtime = request.now;
  }

  void add(const LayerEntry& entry, const CopyContent& content) {
    if (entry.path.is_root())
      return;
    if (!std::exchange(has_root_, true))
      changes_.make_directories(root_, parent_);
    const auto target =
        way_.to(entry.path.parent(), [&](const RootedPath& at) { make_directory(at); })
            .child(entry.path.name());
    if (entry.hard_link)
      link(target, entry);
    else if (entry.meta.type == FileType::directory)
      put_directory(target, dressed(entry.meta));
    else
      put_file(target, dressed(entry.meta), content);
  }

private:
  void make_directory(const RootedPath& path) {
    const auto type = changes_.type(path);
    if (!type)
      changes_.put_directory(path, parent_);
    else if (type != FileType::directory)
      throw Error("cannot make directory '{}': it is no directory", path.str());
  }

  void put_directory(const RootedPath& target, const Metadata& meta) {
    if (changes_.type(target) == FileType::symlink)
      forget_ways();
    changes_.put_directory(target, meta);
  }

  void put_file(const RootedPath& target, const Metadata& meta, const CopyContent& content) {
    make_room(target);
    changes_.put_file(target, meta, content);
  }

  // Ways lead through directories and links alone, as what is behind other things is an error.
  void make_room(const RootedPath& target) {
    const auto old = changes_.type(target);
    if (old == FileType::directory || old == FileType::symlink)
      forget_ways();
  }

  void forget_ways() {
    way_.forget();
    link_way_.forget();
  }

  Metadata dressed(Metadata meta) const {
    if (owner_) {
      meta.uid = owner_->uid;
      meta.gid = owner_->gid;
    }
    keep_capability(meta.xattrs);
    return meta;
  }

  // The header of a link speaks of the file that it names.
  void link(const RootedPath& target, const LayerEntry& entry) {
    const auto source = link_way_.to(entry.hard_link->parent(), [](const RootedPath&) {})
                            .child(entry.hard_link->name());
    const auto old = changes_.find(source);
    if (!old || old->type == FileType::directory)
      throw Error("it is a hard link to '{}', which is no file", entry.hard_link->relative());
    if (source == target)
      return;
    make_room(target);
    const auto file = changes_.file_at(source);
    if (!file) {
      changes_.put_name_of_below(target, source);
      return;
    }
    auto meta = *old;
    const auto header = dressed(entry.meta);
    meta.uid = header.uid;
    meta.gid = header.gid;
    meta.mode = meta.type == FileType::symlink ? meta.mode : header.mode;
    changes_.set_metadata(*file, meta);
    changes_.put_name(target, *file);
  }

  LayerChanges& changes_;
  std::optional<Owner> owner_;
  RootedPath root_;
  bool has_root_ = false;
  Way way_;
  Way link_way_;    ///< To the files that hard links name.
  Metadata parent_; // of directories that the archive does not hold
};

} // namespace

void merge_archive(LayerChanges& changes, const CopyRequest& request, const GivenArchive& archive,
                   const RootedPath& directory, const CopyContent& content) {
  Merge merge(changes, request, directory);
  for (std::size_t i = 0; i < archive.entries.size(); ++i) {
    const auto entry = archive.entries[i];
    auto own = entry.meta.type == FileType::regular ? content : CopyContent();
    own.member = i;
    within([&] { merge.add(entry, own); }, "archive entry '{}'", entry.path.relative());
  }
}

} // namespace cairn
