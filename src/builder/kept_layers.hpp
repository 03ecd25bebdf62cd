#pragma once

#include "builder/execute/base_stacks.hpp"
#include "builder/execute/schedule.hpp"
#include "builder/images/image_library.hpp"
#include "builder/layers/image_layer.hpp"
#include "builder/layers/table_layer.hpp"
#include "builder/options/build_options.hpp"
#include "builder/outputs/early_uploads.hpp"
#include "builder/plan/plan.hpp"
#include "builder/store/cache_directory.hpp"
#include "builder/store/layer_index_caches.hpp"
#include "builder/store/workspace.hpp"
#include "run/isolation_probe.hpp"

#include <functional>

namespace cairn {

/// Where layers that come from elsewhere may be kept; all borrowed.
struct LayerPlaces {
  const Workspace& workspace;
  const CacheDirectory* cache; ///< May be null.
  LayerIndexCaches& indexes;
  const TableReading* tables; ///< Null: layers are read whole.
};

/// Where such layers stay: with --cache-dir from build to build, otherwise if this build will read
/// them again once they have been indexed.
LayerCachePolicy keep_layers(const LayerPlaces& places, const Plan& plan, const Schedule& schedule,
                             const BuildOptions& options, IsolationMode mode);

/// The same for those of base images. Blobs of the image's own base that have to be sent on are
/// kept when they are read: so they are fetched once. `uploads`, which may be null, and all that
/// `places` names must outlive the layers.
std::function<LayerCachePolicy(const BaseImage&, ReadAgain)>
keep_base_layers(const LayerCachePolicy& usual, const LayerPlaces& places, EarlyUploads* uploads,
                 const BaseImage* own_base);

} // namespace cairn
