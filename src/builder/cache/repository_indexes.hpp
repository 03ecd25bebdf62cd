#pragma once

#include "builder/cache/cache_contact.hpp"
#include "builder/store/layer_indexes.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"

#include <memory>

namespace cairn {

/// Indexes as artifacts of a repository (OCI image specification 1.1, Guidelines for Artifact
/// Usage), "index-<hex of the diff id>" being the tag. What is borrowed must outlive it; `contact`,
/// which may be null, is waited for before the repository is asked.
std::unique_ptr<LayerIndexes> make_repository_indexes(const ImageRef& repository,
                                                      RegistryClient& client,
                                                      CacheContact* contact = nullptr);

} // namespace cairn
