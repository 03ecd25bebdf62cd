#pragma once

#include "builder/layers/layer_factory.hpp"
#include "fs/tree/tree.hpp"
#include "util/clock.hpp"

namespace cairn {

/// The layer of a command with /dev, /proc and /sys where `tree` has none of that name: as in
/// BuildKit the directories that the kernel's file systems were mounted on stay, and only those.
LayerContent with_kernel_directories(LayerContent content, const Tree& tree, Time now);

} // namespace cairn
