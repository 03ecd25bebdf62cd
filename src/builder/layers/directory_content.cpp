#include "builder/layers/directory_content.hpp"

#include "builder/layers/files_below.hpp"
#include "fs/archive/metadata.hpp"
#include "fs/tree/changes.hpp"
#include "fs/tree/unpack.hpp"
#include "util/file.hpp"

#include <fcntl.h>

namespace cairn {

LayerContent read_directory(const std::string& path) {
  const auto root = open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
  LayerContent content;
  content.entries = changes_of_overlay(root, Tree(), {}, {}).entries;
  LayerEntry top;
  top.meta = metadata_from(*try_statx(root, "."));
  content.entries.insert(0, top);
  content.begin = files_below(path);
  return content;
}

void write_directory(const LayerContent& content, const std::string& path) {
  const auto root = open_directory(path);
  Unpacker unpacker(root, {});
  const auto open = content.reader();
  for (std::size_t i = 0; i < content.entries.size(); ++i) {
    EntryContent file(open, i);
    unpacker.add(content.entries[i], file);
  }
  unpacker.finish();
}

} // namespace cairn
