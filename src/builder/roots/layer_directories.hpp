#pragma once

#include "builder/layers/layer_stack.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace cairn {

/// The unpacked layers of a build, shared by stages that are built on the same ones. Thread-safe.
class LayerDirectories {
public:
  std::optional<std::string> find(const StageLayer* layer) const;
  void add(const StageLayer* layer, const std::string& directory);

private:
  mutable std::mutex mutex_;
  std::map<const StageLayer*, std::string> directories_;
};

} // namespace cairn
