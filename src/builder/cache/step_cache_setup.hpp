#pragma once

#include "builder/cache/cache_contact.hpp"
#include "builder/cache/step_caches.hpp"
#include "builder/options/build_options.hpp"
#include "builder/store/cache_directory.hpp"
#include "builder/store/layer_index_caches.hpp"
#include "registry/client.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <memory>

namespace cairn {

/// What caches are made with. All is borrowed, and must outlive them.
struct CacheServices {
  const CacheDirectory* directory; ///< May be null.
  RegistryClient& registry;
  CacheContact* contact; ///< With the registry of the repository; may be null.
};

/// Asks whether there is a registry where the options have steps kept, and says which one when
/// nobody named it. Null without such a repository.
std::unique_ptr<CacheContact> contact_cache(const BuildOptions& options, RegistryClient& registry,
                                            Progress& progress);

/// Adds the caches that the options name.
void add_caches(StepCaches& caches, const BuildOptions& options, const CacheServices& services);
/// The same for indexes of layers. Image layouts have none.
void add_caches(LayerIndexCaches& indexes, const BuildOptions& options,
                const CacheServices& services);

/// The rule for what is taken from caches.
EntryRule entry_rule(const BuildOptions& options, Time now);

} // namespace cairn
