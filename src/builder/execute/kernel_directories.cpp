#include "builder/execute/kernel_directories.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace cairn {

LayerContent with_kernel_directories(LayerContent content, const Tree& tree, Time now) {
  constexpr std::array names = {"/dev", "/proc", "/sys"};
  if (std::all_of(names.begin(), names.end(),
                  [&](const char* name) { return tree.find(RootedPath::parse(name)).has_value(); }))
    return content;
  for (const auto* name : names) {
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
    content.begin = [begin = std::move(content.begin), given = content.entries,
                     at](const LayerEntries&) -> ContentOpener {
      return [open = begin(given), at](std::size_t n) { return open(n < at ? n : n - 1); };
    };
    content.entries.insert(at, entry);
  }
  return content;
}

} // namespace cairn
