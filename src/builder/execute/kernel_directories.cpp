#include "builder/execute/kernel_directories.hpp"

#include <cstddef>
#include <utility>

namespace cairn {

LayerContent with_kernel_directories(LayerContent content, const Tree& tree, Time now) {
  for (const auto* name : {"/dev", "/proc", "/sys"}) {
    const auto path = RootedPath::parse(name);
    if (tree.find(path))
      continue;
    std::size_t at = 0;
    while (at < content.entries.size() && content.entries.path(at) < path)
      ++at;
    if (at < content.entries.size() && content.entries.path(at) == path)
      continue;
    LayerEntry entry;
    entry.path = path;
    entry.meta.type = FileType::directory;
    entry.meta.mode = 0755;
    entry.meta.mtime = now;
    content.entries.insert(at, entry);
    content.open = [open = std::move(content.open), at](std::size_t n) {
      return open(n < at ? n : n - 1);
    };
  }
  return content;
}

} // namespace cairn
