#pragma once

#include "fs/entry.hpp"
#include "fs/tar.hpp"
#include "util/fd.hpp"

#include <functional>
#include <memory>

namespace cairn {

/// Writes the entries of one layer below a directory, so that nothing outside it is ever touched:
/// every name is resolved by openat2 with RESOLVE_IN_ROOT (links stay inside), or an equal.
/// Owner, then mode, then xattrs, then times; directories' times last.
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
    std::function<bool(const RootedPath&)> is_protected;
  };

  /// `root` must outlive it.
  Unpacker(FdRef root, Options options);
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker();

  /// Writes one entry and its content from `reader`.
  void add(const LayerEntry& entry, TarReader& reader);
  /// Sets the times of directories. Call once, at the end.
  void finish();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
