#include "fs/tree/change_list.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/archive/xattr.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>

namespace cairn {

namespace {

std::vector<Xattr> layer_xattrs(const Metadata& meta) {
  auto xattrs = meta.xattrs;
  std::erase_if(xattrs, [](const Xattr& x) { return !xattr_belongs_in_layer(x.name); });
  return xattrs;
}

/// Whether what a layer would say of two files is the same, their contents aside.
bool same_metadata(const Metadata& a, const Metadata& b) {
  if (a.type != b.type || a.uid != b.uid || a.gid != b.gid || layer_xattrs(a) != layer_xattrs(b))
    return false;
  if (a.type == FileType::symlink) // whose mode means nothing
    return a.link_target == b.link_target && a.mtime == b.mtime;
  if (a.type == FileType::directory)
    return a.mode == b.mode;
  return a.mode == b.mode && a.size == b.size && a.mtime == b.mtime &&
         a.device_major == b.device_major && a.device_minor == b.device_minor;
}

bool may_have_xattrs(FileType type) {
  return type == FileType::regular || type == FileType::directory;
}

} // namespace

ChangeList::ChangeList(FdRef root, const Tree& before, const ContentCheck& same_content)
    : before_(before), same_content_(same_content), stack_(root) {}

void ChangeList::touched(const RootedPath& path) {
  auto now = look_at(path);
  if (!now)
    return;
  if (is_same(now->entry)) {
    if (now->inode)
      same_.push_back(*std::move(now));
    return;
  }
  add_parents(path);
  if (now->entry.meta.type == FileType::directory)
    parents_.push_back(path);
  found_.push_back(*std::move(now));
}

void ChangeList::gone(const RootedPath& path) {
  if (!before_.find(path))
    return;
  add_parents(path);
  found_.push_back({{whiteout_for(path), {}, {}}, {}});
}

std::optional<ChangeList::Found> ChangeList::look_at(const RootedPath& path) {
  const std::string name(path.name());
  if (!stack_.go_to(path.parent()))
    return std::nullopt;
  const auto info = try_statx(stack_.top(), name);
  if (!info || !file_type_of(info->stx_mode))
    return std::nullopt;
  Found found{{path, metadata_from(*info), {}}, {}};
  auto& meta = found.entry.meta;
  if (meta.type == FileType::symlink)
    meta.link_target = read_link(stack_.top(), name);
  if (may_have_xattrs(meta.type)) {
    const auto file = try_open_at(stack_.top(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file)
      return std::nullopt;
    meta.xattrs = read_xattrs(*file);
  }
  if (meta.type == FileType::regular && info->stx_nlink > 1) {
    const auto device = (std::uint64_t{info->stx_dev_major} << 32U) | info->stx_dev_minor;
    found.inode = Inode{device, info->stx_ino};
  }
  return found;
}

bool ChangeList::is_same(const LayerEntry& entry) const {
  const auto node = before_.find(entry.path);
  if (!node || !same_metadata(entry.meta, node->meta()))
    return false;
  if (entry.meta.type != FileType::regular || entry.meta.size == 0)
    return true;
  return same_content_ && same_content_(entry.path, *node);
}

void ChangeList::add_parents(const RootedPath& path) {
  while (!parents_.empty() && !parents_.back().contains(path))
    parents_.pop_back();
  std::vector<RootedPath> missing;
  for (auto parent = path.parent();
       !parent.is_root() && (parents_.empty() || parent != parents_.back());
       parent = parent.parent())
    missing.push_back(parent);
  for (auto parent = missing.rbegin(); parent != missing.rend(); ++parent) {
    if (auto found = look_at(*parent))
      found_.push_back(*std::move(found));
    parents_.push_back(std::move(*parent));
  }
}

/// A file that has got a further name is repeated beside it, since a layer's hard links are to
/// entries of its own. Of files that had several names before, nothing tells which one was meant.
void ChangeList::add_linked() {
  std::set<Inode> linked;
  for (const auto& found : found_) {
    if (found.inode)
      linked.insert(*found.inode);
  }
  std::erase_if(same_, [&](const Found& found) { return !linked.contains(*found.inode); });
  if (same_.empty())
    return;
  std::map<ContentRef, std::size_t> names;
  for (const auto& found : same_)
    names.try_emplace(before_.find(found.entry.path)->content());
  before_.walk([&](const RootedPath&, const Tree::Node& node) {
    const auto known = names.find(node.content());
    if (node.type() == FileType::regular && known != names.end())
      ++known->second;
  });
  for (auto& found : same_) {
    if (names.at(before_.find(found.entry.path)->content()) != 1)
      continue;
    add_parents(found.entry.path);
    found_.push_back(std::move(found));
  }
}

ChangeSet ChangeList::finish() {
  add_linked();
  std::sort(found_.begin(), found_.end(),
            [](const Found& a, const Found& b) { return a.entry.path < b.entry.path; });
  // A directory is found as itself and as a parent when names come out of order.
  const auto same_path = [](const Found& a, const Found& b) {
    return a.entry.path == b.entry.path;
  };
  found_.erase(std::unique(found_.begin(), found_.end(), same_path), found_.end());

  ChangeSet changes;
  std::map<Inode, RootedPath> first_names;
  for (auto& found : found_) {
    if (found.inode) {
      const auto [first, is_first] = first_names.try_emplace(*found.inode, found.entry.path);
      if (!is_first) {
        found.entry.hard_link = first->second;
        found.entry.meta.size = 0;
      }
    }
    changes.entries.push_back(found.entry);
  }
  return changes;
}

ContentOpener open_contents(FdRef root, LayerEntries entries) {
  const auto stack = std::make_shared<DirectoryStack>(root);
  return [stack, entries = std::move(entries)](std::size_t n) -> std::unique_ptr<Source> {
    const auto path = entries.path(n);
    return within(
        [&] {
          if (!stack->go_to(path.parent()))
            throw Error("it has gone");
          constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
          return std::make_unique<FileSource>(
              open_at(stack->top(), std::string(path.name()), flags));
        },
        "read '{}'", path.str());
  };
}

} // namespace cairn
