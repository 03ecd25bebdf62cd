#pragma once

#include "builder/images/image_library.hpp"
#include "builder/plan/plan.hpp"
#include "oci/reference.hpp"

#include <vector>

namespace cairn {

/// The images of registries that the plan starts, copies or mounts from, each once and with the
/// digest of its manifest, those of the stage that becomes the image first. @throws Error
std::vector<ImageRef> base_images(const Plan& plan, ImageLibrary& images);

} // namespace cairn
