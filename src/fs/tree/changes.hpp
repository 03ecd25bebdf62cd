#pragma once

#include "fs/archive/layer_entries.hpp"
#include "fs/tree/layer_writer.hpp"
#include "fs/tree/tree.hpp"
#include "util/fd.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace cairn {

/// What a RUN did to its root, as the entries of a layer: changed and new files, with all their
/// parent directories but the root, and whiteouts for what is gone (explicit ones, never opaque).
/// Sorted by path; changed names of one file are hard links to the first of them, and so is the
/// name that a file had before, if it had one. The same changes give the same list whether they
/// were read from an overlay's upper directory or found by comparing snapshots. A directory has
/// changed when its mode, owner or xattrs have: its time is that of what is in it. Sockets are as
/// if they did not exist; the root itself is never listed.
struct ChangeSet {
  LayerEntries entries;
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

/// Opens the files of `entries` by their names below `root`, for write_layer(). `root` must outlive
/// it.
ContentOpener open_contents(FdRef root, LayerEntries entries);

/// An index of a directory tree by inode, ctime, mtime, size, mode, owner (statx), taken without
/// reading any content. What is changed after take() has returned has another ctime than before.
class Snapshot {
public:
  Snapshot(); ///< Of an empty directory.
  /// With up to so many threads, each of which may ask `ignored`; what comes out is the same.
  static Snapshot take(FdRef root, const PathFilter& ignored, std::size_t threads = 1);
  Snapshot(Snapshot&&) noexcept;
  Snapshot& operator=(Snapshot&&) noexcept;
  ~Snapshot();

  /// The first path at which two snapshots of one directory differ, among those that `watched` is
  /// true for.
  static std::optional<RootedPath> first_difference(const Snapshot& before, const Snapshot& after,
                                                    const PathFilter& watched);

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
