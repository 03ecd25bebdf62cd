#include "builder/cache/cache_mount_copy.hpp"

#include "builder/layers/directory_content.hpp"
#include "builder/layers/files_below.hpp"
#include "util/file.hpp"

namespace cairn {

CacheMountCopy::CacheMountCopy(const std::string& cache, const std::string& copy)
    : cache_(cache), copy_(copy) {
  auto content = read_directory(cache);
  make_directories(copy);
  write_directory(content, copy);
  tree_.apply({std::move(content.entries)});
  before_ = Snapshot::take(open_directory(copy), {});
}

void CacheMountCopy::bring_back() const {
  const auto root = open_directory(copy_);
  LayerContent changed;
  changed.entries = changes_since(before_, Snapshot::take(root, {}), root, tree_, {}, {}).entries;
  changed.begin = files_below(copy_);
  write_directory(changed, cache_);
}

} // namespace cairn
