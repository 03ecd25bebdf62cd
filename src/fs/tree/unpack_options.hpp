#pragma once

#include "fs/archive/entry.hpp"
#include "fs/tree/tree.hpp"
#include "util/stream.hpp"

#include <functional>
#include <memory>

namespace cairn {

/// How a layer is unpacked.
struct UnpackOptions {
  enum class Whiteouts {
    remove,  ///< Deletes what lower layers put there: all layers share one directory.
    overlay, ///< Writes overlayfs whiteouts (0:0 char devices, user.overlay.opaque): the directory
             ///< becomes a lower layer of a mount with "userxattr".
  };

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

} // namespace cairn
