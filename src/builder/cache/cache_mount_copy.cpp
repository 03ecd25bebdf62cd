#include "builder/cache/cache_mount_copy.hpp"

#include "builder/layers/directory_content.hpp"
#include "builder/layers/files_of.hpp"
#include "util/file.hpp"

namespace cairn {

CacheMountCopy::CacheMountCopy(const std::string& cache, const std::string& copy) : cache_(cache) {
  auto content = read_directory(cache);
  make_directories(copy);
  write_directory(content, copy);
  copy_ = std::make_shared<Fd>(open_directory(copy));
  tree_.apply({std::move(content.entries)});
  before_ = Snapshot::take(*copy_, {});
}

void CacheMountCopy::bring_back() const {
  LayerContent changed;
  changed.entries =
      changes_since(before_, Snapshot::take(*copy_, {}), *copy_, tree_, {}, {}).entries;
  changed.open = files_of(copy_, changed.entries);
  write_directory(changed, cache_);
}

} // namespace cairn
