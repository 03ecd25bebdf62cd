#pragma once

#include "builder/cache/cache_mounts.hpp"
#include "builder/images/image_library.hpp"
#include "builder/layers/layer_factory.hpp"
#include "builder/options/build_options.hpp"
#include "builder/options/cache_location.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// Cache mounts travel as an image: a layer for each, and a label that says in the layers' order
/// which they are and when they were last used, "KEY@SECONDS KEY@SECONDS ...".

/// Cache mounts that other builds have exported. Thread-safe once made.
class ImportedCaches {
public:
  /// Looks at `sources`, earlier ones first; a source that cannot be had is a line in the log.
  ImportedCaches(const std::vector<CacheLocation>& sources, ImageLibrary& images,
                 Progress& progress);

  /// Fills an empty directory with the cache called `key`. False, the directory being empty, when
  /// it was not imported or is damaged, which is a warning.
  bool fill(const std::string& key, const std::string& path) const;

  struct Cache {
    std::shared_ptr<const BaseImage> image;
    std::size_t layer = 0;
    std::int64_t used = 0; ///< Seconds since 1970.
  };
  const std::map<std::string, Cache>& all() const noexcept { return caches_; }

private:
  Progress& progress_;
  std::map<std::string, Cache> caches_;
};

/// What exporting takes; all borrowed.
struct CacheExport {
  const std::vector<CacheLocation>& destinations;
  const std::map<std::string, std::string>& used; ///< Directories of this build's caches by key.
  const ImportedCaches& imported; ///< Goes along where this build did not use it, for two weeks.
  LayerFactory& layers;
  RegistryClient& registry;
  Progress& progress;
  Time now;
};

/// Exports the caches that a build has used. What goes wrong is a warning: the image is what
/// counts.
void export_caches(const CacheExport& request);

} // namespace cairn
