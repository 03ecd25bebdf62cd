#pragma once

#include "builder/store/cache_directory.hpp"
#include "builder/store/layer_indexes.hpp"

#include <memory>

namespace cairn {

/// "indexes/<diff id>" of --cache-dir, which must outlive it. What is damaged there is as good as
/// not there.
std::unique_ptr<LayerIndexes> make_directory_indexes(const CacheDirectory& directory);

} // namespace cairn
