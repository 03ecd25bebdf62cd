#pragma once

#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "registry/push.hpp"

#include <map>
#include <vector>

namespace cairn {

/// Images of several platforms under one index.
struct JoinedImages {
  Index index;
  std::vector<PushDocument> documents; ///< As Push wants them.
  std::map<Digest, ImageRef> origins;  ///< The repository that has a blob.
};

/// Makes an index of images that are in registries; the members of those that are indexes join it.
/// It is Docker's manifest list when all images are Docker's and there are no annotations, else an
/// OCI index. @throws Error when two images are for the same platform
JoinedImages join_images(RegistryClient& registry, const std::vector<ImageRef>& images,
                         const Annotations& annotations);

} // namespace cairn
