#pragma once

#include "builder/layers/layer_factory.hpp"
#include "builder/store/context_digests.hpp"

#include <string>

namespace cairn {

/// What files are and hold, as they will be in an image: all but their times. Their digests are
/// taken from `known`, or made in several threads and remembered there. @throws Error
std::string content_digest(const LayerContent& content, ContextDigests& known);

} // namespace cairn
