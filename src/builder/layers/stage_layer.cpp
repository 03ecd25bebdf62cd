#include "builder/layers/stage_layer.hpp"

#include <utility>

namespace cairn {

Descriptor StageLayer::descriptor(ImageFormat format) const {
  auto descriptor = blob();
  descriptor.media_type = layer_type(format, compression());
  return descriptor;
}

std::optional<std::string> StageLayer::directory() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

void StageLayer::lies_in(std::string directory) const {
  const std::lock_guard lock(mutex_);
  if (!directory_)
    directory_ = std::move(directory);
}

} // namespace cairn
