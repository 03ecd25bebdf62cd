#pragma once

#include "builder/layers/layer_stack.hpp"
#include "builder/store/workspace.hpp"
#include "run/isolation_probe.hpp"
#include "util/progress.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// A base image that is mounted here as the node has unpacked it, and what it is needed for.
struct VolumeBase {
  std::string name; ///< Of the image, as the user wrote it.
  std::string path; ///< Where it is mounted.
  /// In which commands are run on it; none when files are copied from it alone.
  IsolationMode mode = IsolationMode::none;
  std::vector<std::string> directories; ///< Where commands expect it, when that is in directories.
  Workspace& workspace;                 ///< Borrowed, as what follows.
  Progress& progress;
  /// As try_overlay_over().
  const std::function<void(const std::string& lower, const std::string& work)>& try_lower;
};

/// Loads a stack and tells its layers that they lie in the volume, or copies them from there into
/// directories. When the volume is not what the layers say, or cannot be used, that is a warning,
/// and the layers are unpacked as those of any other base.
/// @pre !stack.loaded() @throws Error
void load_mounted(LayerStack& stack, const VolumeBase& base);

} // namespace cairn
