#pragma once

#include "fs/tree/changes.hpp"
#include "fs/tree/directory_stack.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace cairn {

/// Makes a ChangeSet from names that may have changed, by comparing what is there with the Tree:
/// the half that all ways of finding such names share.
class ChangeList {
public:
  /// `root` is where changed files and all their parent directories are. All must outlive it.
  ChangeList(FdRef root, const Tree& before, const ContentCheck& same_content);

  /// `path` exists and may be new or changed. Names are best given in their order.
  void touched(const RootedPath& path);
  /// `path` does not exist any more.
  void gone(const RootedPath& path);

  /// Call once.
  ChangeSet finish();

private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>; ///< Device and number.
  struct Found {
    LayerEntry entry;
    std::optional<Inode> inode; ///< Of a regular file with more than one name.
  };

  std::optional<Found> look_at(const RootedPath& path);
  bool is_same(const LayerEntry& entry) const;
  void add_parents(const RootedPath& path);
  void add_linked();

  const Tree& before_;
  const ContentCheck& same_content_;
  DirectoryStack stack_;
  std::vector<Found> found_;
  std::vector<Found> same_;         ///< As before, but with more names than one.
  std::vector<RootedPath> parents_; ///< Of the last change, topmost first: they are listed.
};

} // namespace cairn
