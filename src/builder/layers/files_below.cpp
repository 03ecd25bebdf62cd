#include "builder/layers/files_below.hpp"

#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <fcntl.h>

#include <memory>

namespace cairn {

std::function<ContentOpener(const LayerEntries&)> files_below(std::string directory) {
  return [directory = std::move(directory)](const LayerEntries& entries) {
    const auto root = std::make_shared<Fd>(open_directory(directory));
    return [root, &entries](std::size_t n) -> std::unique_ptr<Source> {
      const auto path = entries.path(n);
      auto file = open_in_root(*root, path, O_RDONLY);
      if (!file)
        throw Error("'{}' is gone", path.str());
      return std::make_unique<FileSource>(std::move(*file));
    };
  };
}

} // namespace cairn
