#include "builder/roots/make_root_filesystem.hpp"

#include "builder/roots/directory_root.hpp"
#include "builder/roots/overlay_root.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

namespace cairn {

std::unique_ptr<RootFilesystem> make_root_filesystem(IsolationMode mode,
                                                     const RootServices& services) {
  switch (mode) {
  case IsolationMode::namespace_overlay:
    return std::make_unique<OverlayRootFilesystem>(services);
  case IsolationMode::namespace_directory:
  case IsolationMode::supervised: {
    const auto path =
        services.base != nullptr ? services.base->take() : services.workspace.new_directory("root");
    return std::make_unique<DirectoryRootFilesystem>(services, DirectoryRoot{path}, path);
  }
  case IsolationMode::inplace:
    clear_root(open_directory("/"), services.ignored);
    return std::make_unique<DirectoryRootFilesystem>(services, InPlaceRoot{}, "/");
  case IsolationMode::none:
    break;
  }
  throw Error("no command can be run here");
}

} // namespace cairn
