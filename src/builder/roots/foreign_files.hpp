#pragma once

#include "fs/archive/entry.hpp"
#include "run/process/runner.hpp"
#include "util/rooted_path.hpp"

#include <string>

namespace cairn {

/// What the entries of a layer come from.
enum class LayerOrigin { base_image, build };

/// What lies in a stage's root directory and is not the image's, where that directory is not the
/// build's own.
class ForeignFiles {
public:
  virtual ~ForeignFiles() = default;

  /// Whether a path is theirs: neither written nor removed, and in no layer.
  virtual bool own(const RootedPath& path) const = 0;
  /// Whether a path need not be looked at, as it changes all the time or belongs to nobody.
  virtual bool is_volatile(const RootedPath& path) const = 0;
  /// Whether a directory has to be there for what is below it, image or not.
  virtual bool need(const RootedPath& directory) const = 0;

  /// An entry that cannot be unpacked, as `place` stands in its way.
  /// @throws Error where the image would not be what the Dockerfile says
  virtual void blocked(LayerOrigin origin, const LayerEntry& entry, const RootedPath& place) = 0;
  /// An entry that the build is about to make, of a stage in which commands still run. @throws
  /// Error
  virtual void admit(const LayerEntry& entry) = 0;
  /// A command that is about to run. @throws Error
  virtual void admit(const Invocation& invocation) = 0;
  /// While a command ran, what must stay has changed. @throws Error when it must have been the
  /// command
  virtual void changed(const RootedPath& path) = 0;
  /// What a command sees of them, as a hint for an error that they may be the cause of; "" for
  /// nothing.
  virtual std::string visible_hint() const = 0;
};

} // namespace cairn
