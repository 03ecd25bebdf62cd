#pragma once

#include "fs/entry.hpp"
#include "fs/tree.hpp"
#include "util/fd.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace cairn {

/// What a RUN did to its root, as the entries of a layer: changed and new files, with all their
/// parent directories, and whiteouts for what is gone (explicit ones, never opaque). Sorted by
/// path; names of one file are hard links to its first name. The same changes give the same list
/// whether they were read from an overlay's upper directory or found by comparing snapshots.
struct ChangeSet {
  std::vector<LayerEntry> entries;
  bool empty() const noexcept { return entries.empty(); }
};

/// Paths that are in no layer, with all below them: mount points, the executor's own directory.
using PathFilter = std::function<bool(const RootedPath&)>;

/// Tells whether the content of the file at `path` in a root still is what `before` says,
/// for files that were touched but look the same.
using ContentCheck = std::function<bool(const RootedPath& path, const Tree::Node& before)>;

/// Reads what changed from an overlay's upper directory (mounted with "userxattr"). `before` is
/// the Tree that the RUN started from. Copied-up files that are the same as before are left out.
ChangeSet changes_of_overlay(FdRef upper, const Tree& before, const PathFilter& ignored,
                             const ContentCheck& same_content);

/// An index of a directory tree by inode, ctime, mtime, size, mode, owner (statx), taken without
/// reading any content.
class Snapshot {
public:
  static Snapshot take(FdRef root, const PathFilter& ignored);
  Snapshot(Snapshot&&) noexcept;
  Snapshot& operator=(Snapshot&&) noexcept;
  ~Snapshot();

private:
  friend ChangeSet changes_since(const Snapshot&, const Snapshot&, FdRef, const Tree&,
                                 const PathFilter&, const ContentCheck&);
  struct State;
  explicit Snapshot(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What changed in `root` between two snapshots.
ChangeSet changes_since(const Snapshot& before, const Snapshot& after, FdRef root,
                        const Tree& tree_before, const PathFilter& ignored,
                        const ContentCheck& same_content);

} // namespace cairn
