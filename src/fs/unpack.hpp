#pragma once

#include "fs/entry.hpp"
#include "fs/tar.hpp"
#include "fs/tree.hpp"
#include "util/fd.hpp"

#include <functional>
#include <memory>

namespace cairn {

/// Writes the entries of one layer below a directory, so that nothing outside it is ever touched:
/// a name is walked from one directory descriptor to the next, and symbolic links in its middle are
/// read and followed by us, inside the root. Owner, then mode, then xattrs, then times;
/// directories' times last. The result is what Tree::apply says it is.
class Unpacker {
public:
  enum class Whiteouts {
    remove,  ///< Deletes what lower layers put there: all layers share one directory.
    overlay, ///< Writes overlayfs whiteouts (0:0 char devices, user.overlay.opaque): the directory
             ///< becomes a lower layer of a mount with "userxattr".
  };

  struct Options {
    Whiteouts whiteouts = Whiteouts::remove;
    /// Paths that are neither written, removed nor changed, with all below them. May be empty.
    /// Called with the names that entries really have, symbolic links being followed.
    std::function<bool(const RootedPath&)> is_protected = {};
    /// Told about each entry, whiteouts aside, that could not be written because of that: `place`
    /// is at or below a protected path, or it is a directory that stays for one below it. May be
    /// empty.
    std::function<void(const LayerEntry& entry, const RootedPath& place)> on_blocked = {};

    /// For Whiteouts::overlay: the layers below this one, if they are known yet; see fits(). Must
    /// outlive the Unpacker.
    const Tree* below = nullptr;
    /// The content of a file of `below` that a hard link of this layer names.
    std::function<std::unique_ptr<Source>(const Tree::Node&)> open_below = {};
  };

  /// `root` must outlive it.
  Unpacker(FdRef root, Options options);
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker();

  /// Writes one entry and its content from `reader`. A device node that may not be made here is
  /// left out: commands do not see it, the Tree and the layer have it all the same.
  /// @throws Error naming the entry: what may not be done here (owners), what cannot be (hard links
  /// to nothing), a damaged archive
  void add(const LayerEntry& entry, TarReader& reader);
  /// The same with content from elsewhere: exactly meta.size bytes; null when it has none.
  void add(const LayerEntry& entry, Source* content);
  /// Sets the times of directories. Call once, at the end.
  void finish();

  /// For Whiteouts::overlay without Options::below: whether what was written is right over these
  /// layers. If not, because the layer leads through their symbolic links, relies on directories
  /// of theirs or makes hard links to their files, it has to be unpacked once more, with `below`.
  bool fits(const Tree& below) const;

  /// Whether nothing was left out: device nodes, where this process may not make them.
  bool is_whole() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
