#include "builder/roots/layer_directories.hpp"

namespace cairn {

std::optional<std::string> LayerDirectories::find(const StageLayer* layer) const {
  const std::lock_guard lock(mutex_);
  const auto found = directories_.find(layer);
  return found != directories_.end() ? std::optional(found->second) : std::nullopt;
}

void LayerDirectories::add(const StageLayer* layer, const std::string& directory) {
  const std::lock_guard lock(mutex_);
  directories_.emplace(layer, directory);
}

} // namespace cairn
