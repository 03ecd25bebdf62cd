#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/metadata_pool.hpp"
#include "fs/copy/copy_plan.hpp"
#include "fs/tree/name_tree.hpp"
#include "fs/tree/tree.hpp"
#include "util/block_vector.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cairn {

/// A Tree with the changes of one instruction on top, and the layer that they make.
class LayerChanges {
public:
  /// `below` must outlive it.
  explicit LayerChanges(const Tree& below);

  /// What has exactly this name; nothing when nothing has.
  std::optional<Metadata> find(const RootedPath& path) const;
  /// Its type alone, which takes less time.
  std::optional<FileType> type(const RootedPath& path) const;
  /// Where it leads if it is a symbolic link.
  std::optional<std::string> link_target(const RootedPath& path) const;

  /// Where symbolic links lead: as resolve_links().
  RootedPath resolve(const RootedPath& path, Tree::Last last) const;

  /// Makes a directory, or changes the metadata of one; replaces whatever else is there.
  /// @pre its parent is a directory
  void put_directory(const RootedPath& path, const Metadata& meta);

  /// Names a file; names of one file share its number.
  using FileNumber = std::uint32_t;
  /// Puts a file in the place of whatever is there. @pre its parent is a directory
  FileNumber put_file(const RootedPath& path, const Metadata& meta, const CopyContent& content);
  /// Gives a file of this changes another name.
  void put_name(const RootedPath& path, FileNumber file);
  /// Gives a file of the Tree below another name.
  void put_name_of_below(const RootedPath& path, const RootedPath& target);

  /// The file of this changes that has exactly this name, if it is no directory.
  std::optional<FileNumber> file_at(const RootedPath& path) const;
  void set_metadata(FileNumber file, const Metadata& meta);

  /// Makes all directories of a path that do not exist, each with `made`.
  /// @throws Error naming the part that is something else
  void make_directories(const RootedPath& path, const Metadata& made);

  /// The changes, with all directories of the Tree that lie above them.
  CopyPlan finish() const;

private:
  class Finish;

  /// What is known of a name.
  struct Change {
    enum class Kind : std::uint32_t {
      none, ///< There are changes below it.
      directory,
      file,
      below, ///< A name for a file of the Tree.
    };
    Kind kind : 2 = Kind::none;
    std::uint32_t hides : 1 = 0;   ///< What the Tree has below this name is gone.
    std::uint32_t number : 29 = 0; ///< Of a file or directory; of a name in below_names_.
  };
  /// Where the way to a name leads, and what is there.
  struct Place {
    std::optional<Change> change;
    bool is_hidden = false; ///< What the Tree has of that name is gone.
  };

  Place look(const RootedPath& path) const;
  std::optional<Tree::Node> node_of(const Place& place, const RootedPath& path) const;
  FileNumber add_file(const Metadata& meta, const CopyContent& content);
  void put(const RootedPath& path, Change change);
  NameTree::Number enter(const RootedPath& directory);
  NameTree::Number name_of(const RootedPath& path);

  const Tree& below_;
  NameTree names_;
  BlockVector<Change> changes_; ///< By the number of their name.
  MetadataPool metadata_;
  BlockVector<MetadataPool::Packed> files_; ///< And directories.
  CopyContents contents_;                   ///< By file.
  std::set<FileNumber> several_;            ///< Files that were given more names than one.
  std::vector<RootedPath> below_names_;
  RootedPath last_directory_; ///< Where the last change was.
  NameTree::Number last_number_ = NameTree::root;
};

} // namespace cairn
