#include "build/roots.hpp"

#include "build/directory_root.hpp"
#include "build/overlay_root.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

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

std::unique_ptr<StageRoot> make_root(Rung rung, const RootServices& services) {
  switch (rung) {
  case Rung::namespace_overlay:
    return std::make_unique<OverlayStageRoot>(services);
  case Rung::namespace_directory: {
    const auto path = services.workspace.new_directory("root");
    return std::make_unique<DirectoryStageRoot>(services, DirectoryRoot{path}, path);
  }
  case Rung::inplace:
    clear_root(open_directory("/"), services.ignored);
    return std::make_unique<DirectoryStageRoot>(services, InPlaceRoot{}, "/");
  case Rung::none:
    break;
  }
  throw Error("no command can be run here");
}

} // namespace cairn
