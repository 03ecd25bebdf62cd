#pragma once

#include "fs/archive/entry.hpp"
#include "fs/copy/copy_plan.hpp"
#include "fs/tree/tree.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace cairn {

/// A Tree with the changes of one instruction on top, and the layer that they make.
class LayerChanges {
public:
  /// `below` must outlive it.
  explicit LayerChanges(const Tree& below) : below_(below) {}

  /// What has exactly this name; nullptr when nothing has. Valid until the next change.
  const Metadata* find(const RootedPath& path) const;

  /// Where symbolic links lead: as resolve_links().
  RootedPath resolve(const RootedPath& path, Tree::Last last) const;

  /// Makes a directory, or changes the metadata of one; replaces whatever else is there.
  /// @pre its parent is a directory
  void put_directory(const RootedPath& path, Metadata meta);

  /// Names a file that is not a directory; names of one file share its number.
  using FileNumber = std::size_t;
  /// Puts a file in the place of whatever is there. @pre its parent is a directory
  FileNumber put_file(const RootedPath& path, Metadata meta, CopyContent content);
  /// Gives a file of this changes another name.
  void put_name(const RootedPath& path, FileNumber file);
  /// Gives a file of the Tree below another name.
  void put_name_of_below(const RootedPath& path, const RootedPath& target);

  /// The file of this changes that has exactly this name.
  std::optional<FileNumber> file_at(const RootedPath& path) const;
  void set_metadata(FileNumber file, Metadata meta);

  /// Makes all directories of a path that do not exist, each with `made`.
  /// @throws Error naming the part that is something else
  void make_directories(const RootedPath& path, const Metadata& made);

  /// The changes, with all directories of the Tree that lie above them.
  CopyPlan finish() const;

private:
  struct Change {
    std::optional<FileNumber> file; // nothing: a directory
    Metadata directory;
    std::optional<RootedPath> below; // a name for a file of the Tree
    bool hides = false;              // what the Tree has below this name is gone
  };
  struct File {
    Metadata meta;
    CopyContent content;
  };
  using Changes = std::map<RootedPath, Change>;
  using Extras = std::map<RootedPath, Metadata>; // entries that are no changes themselves

  bool is_hidden(const RootedPath& path) const;
  void put(const RootedPath& path, Change change);
  const Metadata& meta_of(const Change& change) const;
  void forget_below(const RootedPath& path);
  void add_above(const RootedPath& path, Extras& extras) const;
  void add_whiteouts(const RootedPath& directory, Extras& extras) const;

  const Tree& below_;
  Changes changes_;
  std::vector<File> files_;
  std::set<RootedPath> hiding_; // changes that hide something
};

} // namespace cairn
