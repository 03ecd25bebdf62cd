#pragma once

#include "builder/cache/step_caches.hpp"
#include "builder/options/build_options.hpp"
#include "builder/store/cache_directory.hpp"
#include "registry/client.hpp"
#include "util/clock.hpp"

namespace cairn {

/// Adds the caches that the options name. `directory` may be null. All must outlive `caches`.
void add_caches(StepCaches& caches, const BuildOptions& options, const CacheDirectory* directory,
                RegistryClient& registry);

/// The rule for what is taken from caches.
EntryRule entry_rule(const BuildOptions& options, Time now);

} // namespace cairn
