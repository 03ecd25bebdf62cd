#pragma once

#include "build/cache_location.hpp"
#include "build/step_cache.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"

#include <memory>
#include <string>

namespace cairn {

/// Entries as images of a repository, the key being the tag; or, for "oci:PATH", as image layouts
/// in directories called "PATH:KEY". Kaniko lays both out in the same way. The client must outlive
/// it.
std::unique_ptr<StepCache> make_remote_cache(const CacheLocation& location, RegistryClient& client);

/// Entries below a directory, "steps/KEY.json", with blobs in the store beside it. Several builds
/// may use it at the same time. `store` must outlive it.
std::unique_ptr<StepCache> make_local_cache(std::string directory, const BlobStore& store);

} // namespace cairn
