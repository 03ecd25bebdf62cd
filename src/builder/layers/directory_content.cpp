#include "builder/layers/directory_content.hpp"

#include "builder/layers/files_of.hpp"
#include "fs/archive/metadata.hpp"
#include "fs/tree/changes.hpp"
#include "fs/tree/unpack.hpp"
#include "util/file.hpp"

#include <fcntl.h>

namespace cairn {

LayerContent read_directory(const std::string& path) {
  auto root = std::make_shared<Fd>(open_at(current_directory(), path, O_RDONLY | O_DIRECTORY));
  LayerContent content;
  content.entries = changes_of_overlay(*root, Tree(), {}, {}).entries;
  LayerEntry top;
  top.meta = metadata_from(*try_statx(*root, "."));
  content.entries.insert(0, top);
  content.open = files_of(std::move(root), content.entries);
  return content;
}

void write_directory(const LayerContent& content, const std::string& path) {
  const auto root = open_directory(path);
  Unpacker unpacker(root, {});
  for (std::size_t i = 0; i < content.entries.size(); ++i) {
    const auto entry = content.entries[i];
    const auto source = entry.has_content() ? content.open(i) : nullptr;
    unpacker.add(entry, source.get());
  }
  unpacker.finish();
}

} // namespace cairn
