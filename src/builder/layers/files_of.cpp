#include "builder/layers/files_of.hpp"

#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <fcntl.h>

namespace cairn {

ContentOpener files_of(std::shared_ptr<const Fd> root, const std::vector<LayerEntry>& entries) {
  auto paths = std::make_shared<std::vector<RootedPath>>();
  for (const auto& entry : entries)
    paths->push_back(entry.path);
  return [root = std::move(root), paths](std::size_t n) -> std::unique_ptr<Source> {
    auto file = open_in_root(*root, paths->at(n), O_RDONLY);
    if (!file)
      throw Error("'{}' is gone", paths->at(n).str());
    return std::make_unique<FileSource>(std::move(*file));
  };
}

} // namespace cairn
