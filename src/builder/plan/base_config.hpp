#pragma once

#include "oci/image_config.hpp"

namespace cairn {

/// What a stage starts with when its base image has `base`: what describes the base alone is gone,
/// PATH is set, the working directory is absolute, and the history has a line for every layer.
ImageConfig inherited(ImageConfig base);

/// What a stage starts with when its base is empty.
ImageConfig empty_image(const Platform& platform);

} // namespace cairn
