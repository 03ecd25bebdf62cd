#pragma once

#include "builder/cache/cache_contact.hpp"
#include "builder/cache/step_cache.hpp"
#include "builder/options/cache_location.hpp"
#include "builder/store/cache_directory.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"

#include <memory>
#include <string>

namespace cairn {

/// Entries as images of a repository, the key being the tag; or, for "oci:PATH", as image layouts
/// in directories called "PATH:KEY". Kaniko lays both out in the same way. What is borrowed must
/// outlive it; `contact`, which may be null, is waited for before the repository is asked.
std::unique_ptr<StepCache> make_remote_cache(const CacheLocation& location, RegistryClient& client,
                                             CacheContact* contact = nullptr);

/// Entries in --cache-dir, "steps/KEY.json" and blobs. `directory` must outlive it.
std::unique_ptr<StepCache> make_local_cache(const CacheDirectory& directory);

} // namespace cairn
