#pragma once

#include "oci/manifest.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "registry/push.hpp"

#include <map>
#include <vector>

namespace cairn {

/// What is in registries and to be pushed to others.
struct RemoteImages {
  std::vector<PushDocument> documents; ///< As Push wants them.
  std::map<Digest, ImageRef> origins;  ///< The repository that has a blob.
};

/// Makes an index of images that are in registries; the members of those that are indexes join it.
/// It is Docker's manifest list when all images are Docker's and there are no annotations, else an
/// OCI index. @throws Error when two images are for the same platform
RemoteImages join_images(RegistryClient& registry, const std::vector<ImageRef>& images,
                         const Annotations& annotations);

/// An image as it is. Of an index all members, or those for `platforms` if there are any: then it
/// is another index. @throws Error, also when a platform is missing
RemoteImages gather_image(RegistryClient& registry, const ImageRef& image,
                          const std::vector<Platform>& platforms);

} // namespace cairn
