#include "builder/layers/files_of.hpp"

#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <fcntl.h>

namespace cairn {

ContentOpener files_of(std::shared_ptr<const Fd> root, LayerEntries entries) {
  return [root = std::move(root),
          entries = std::move(entries)](std::size_t n) -> std::unique_ptr<Source> {
    const auto path = entries.path(n);
    auto file = open_in_root(*root, path, O_RDONLY);
    if (!file)
      throw Error("'{}' is gone", path.str());
    return std::make_unique<FileSource>(std::move(*file));
  };
}

} // namespace cairn
