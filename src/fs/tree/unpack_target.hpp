#pragma once

#include "fs/tree/directory_stack.hpp"
#include "fs/tree/unpack_options.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace cairn {

/// The directory that a layer is unpacked into, and a place in it. Knows what the layer has
/// written, what may not be touched, and what overlayfs has to be told.
class UnpackTarget {
public:
  UnpackTarget(FdRef root, const UnpackOptions& options);

  enum class Missing { create, stop };
  enum class Arrival { arrived, missing, is_protected };
  /// Goes to the directory that `path` leads to, symbolic links followed inside the root. What is
  /// missing is made as an implied directory, or ends the way.
  Arrival go_to(const RootedPath& path, Missing missing);

  FdRef here() { return stack_.top(); }
  const RootedPath& path() const { return levels_.back().path; }
  /// Where the way of the last go_to() ended. @pre it has returned Arrival::is_protected
  const RootedPath& protected_place() const { return protected_place_; }
  /// Whether `name` in this directory may not be touched.
  bool is_protected(const std::string& name) const;
  /// The node of the layers below that `name` in this directory hides; nothing when an opaque
  /// directory is in between, or the layers are not known.
  std::optional<Tree::Node> below(const std::string& name) const;

  enum class Remove {
    all,
    lower, ///< What this layer has written stays.
  };
  /// Removes `name`, with all in it if it is a directory. False when something of it remains.
  bool remove(const std::string& name, Remove what);
  /// The same for all that is in this directory.
  void remove_children(Remove what);

  /// Makes a directory, or takes the one that is there. False when it must be left alone.
  bool make_directory(const std::string& name, const Metadata& meta);
  void set_root(const Metadata& meta);
  /// Hides what the layers below hold in this directory.
  void make_opaque();
  /// Makes the directory `name` another one than that of the layers below.
  void cut_off(const std::string& name);

  /// Whether the directories that were implied are right over these layers.
  bool fits(const Tree& below) const;

  /// Says that `name` is of this layer.
  void note(const std::string& name);
  void set_directory_times();

private:
  struct Level {
    RootedPath path;
    bool hides_lower = false;
  };
  enum class Step { entered, link, missing, is_protected };

  Step step(const std::string& name, Missing missing, std::string& link);
  enum class Lower { visible, hidden };
  Step make_implied(const std::string& name, Lower lower);
  void make_opaque(const std::string& name);
  enum class Remains { nothing, protected_only, of_this_layer };

  Remains remove_at(const RootedPath& path, Remove what);
  Remains remove_directory(const RootedPath& path, Remove what);
  void forget(const RootedPath& path);
  void leave_to(std::size_t depth);
  bool descend(const std::string& name);
  bool is_overlay() const { return options_.whiteouts == UnpackOptions::Whiteouts::overlay; }

  FdRef root_;
  const UnpackOptions& options_;
  DirectoryStack stack_;
  std::vector<Level> levels_; ///< The root, then one for each in stack_.
  RootedPath protected_place_;
  std::unordered_set<std::string> written_;
  std::set<RootedPath> opaque_;
  std::set<RootedPath> implied_; ///< In an overlay; with the metadata of one below if known.
  std::map<RootedPath, Time> times_;
};

} // namespace cairn
