#include "fs/copy_archive.hpp"

#include "fs/links.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

namespace {

constexpr std::string_view capability = "security.capability";

class Merge {
public:
  Merge(Draft& draft, const CopyRequest& request, const RootedPath& root)
      : draft_(draft), owner_(request.owner), root_(root) {
    parent_.type = FileType::directory;
    parent_.mode = 0755;
    parent_.mtime = request.now;
  }

  void add(const LayerEntry& entry, CopyContent content) {
    if (entry.path.is_root())
      return;
    const auto target = place(entry.path);
    draft_.make_directories(target.parent(), parent_);
    if (entry.hard_link)
      link(target, entry);
    else if (entry.meta.type == FileType::directory)
      draft_.put_directory(target, dressed(entry.meta));
    else
      draft_.put_file(target, dressed(entry.meta), std::move(content));
  }

private:
  RootedPath outside(const RootedPath& inside) const {
    return inside.is_root() ? root_
                            : RootedPath::parse(root_.str() + "/" + std::string(inside.relative()));
  }

  // An entry's name in the draft, with the links above it followed. A link that leads to nothing
  // cannot be made a directory.
  RootedPath place(const RootedPath& path) const {
    const auto parent = resolve_links(
        path.parent(), [&](const RootedPath& name) { return link_target(name); },
        [&](const RootedPath& end) {
          if (draft_.find(outside(end)) == nullptr)
            throw Error("it lies behind a symbolic link to '{}', which does not exist",
                        outside(end).str());
        });
    return outside(parent).child(path.name());
  }

  std::optional<std::string> link_target(const RootedPath& inside) const {
    const auto* meta = draft_.find(outside(inside));
    if (meta == nullptr || meta->type != FileType::symlink)
      return std::nullopt;
    return meta->link_target;
  }

  Metadata dressed(Metadata meta) const {
    if (owner_) {
      meta.uid = owner_->uid;
      meta.gid = owner_->gid;
    }
    std::erase_if(meta.xattrs, [](const Xattr& xattr) { return xattr.name != capability; });
    return meta;
  }

  // The header of a link speaks of the file that it names.
  void link(const RootedPath& target, const LayerEntry& entry) {
    const auto source = place(*entry.hard_link);
    const auto* old = draft_.find(source);
    if (old == nullptr || old->type == FileType::directory)
      throw Error("it is a hard link to '{}', which is no file", entry.hard_link->relative());
    if (source == target)
      return;
    const auto file = draft_.file_at(source);
    if (!file) {
      draft_.put_name_of_below(target, source);
      return;
    }
    auto meta = *old;
    const auto header = dressed(entry.meta);
    meta.uid = header.uid;
    meta.gid = header.gid;
    meta.mode = meta.type == FileType::symlink ? meta.mode : header.mode;
    draft_.set_metadata(*file, std::move(meta));
    draft_.put_name(target, *file);
  }

  Draft& draft_;
  std::optional<Owner> owner_;
  RootedPath root_;
  Metadata parent_; // of directories that the archive does not hold
};

} // namespace

void merge_archive(Draft& draft, const CopyRequest& request, const GivenArchive& archive,
                   const RootedPath& directory, const CopyContent& content) {
  Merge merge(draft, request, directory);
  for (std::size_t i = 0; i < archive.entries.size(); ++i) {
    const auto& entry = archive.entries[i];
    auto own = entry.meta.type == FileType::regular ? content : CopyContent();
    own.member = i;
    within([&] { merge.add(entry, std::move(own)); }, "archive entry '{}'", entry.path.relative());
  }
}

} // namespace cairn
