#include "builder/execute/kernel_directories.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace cairn {

LayerContent with_kernel_directories(LayerContent content, const Tree& tree, Time now) {
  constexpr std::array names = {"/dev", "/proc", "/sys"};
  if (std::all_of(names.begin(), names.end(),
                  [&](const char* name) { return tree.find(RootedPath::parse(name)) != nullptr; }))
    return content;
  const auto given = std::make_shared<const std::vector<LayerEntry>>(content.entries);
  std::vector<std::optional<std::size_t>> before; // where each entry was
  for (std::size_t i = 0; i < given->size(); ++i)
    before.emplace_back(i);
  for (const auto* name : names) {
    const auto path = RootedPath::parse(name);
    if (tree.find(path) != nullptr)
      continue;
    auto& entries = content.entries;
    const auto at = std::find_if(entries.begin(), entries.end(),
                                 [&](const LayerEntry& entry) { return !(entry.path < path); });
    if (at != entries.end() && at->path == path)
      continue;
    LayerEntry entry;
    entry.path = path;
    entry.meta.type = FileType::directory;
    entry.meta.mode = 0755;
    entry.meta.mtime = now;
    before.insert(before.begin() + (at - entries.begin()), std::nullopt);
    entries.insert(at, std::move(entry));
  }
  content.begin = [begin = std::move(content.begin), given,
                   before = std::move(before)](const auto&) -> ContentOpener {
    return [&before, open = begin(*given)](std::size_t n) { return open(before.at(n).value()); };
  };
  return content;
}

} // namespace cairn
