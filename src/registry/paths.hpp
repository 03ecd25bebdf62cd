#pragma once

#include "oci/reference.hpp"

#include <string>

namespace cairn {

/// Paths of the distribution protocol below a registry's origin.
inline std::string blob_path(const ImageRef& repository, const Digest& digest) {
  return "/v2/" + repository.repository() + "/blobs/" + digest.str();
}
inline std::string uploads_path(const ImageRef& repository) {
  return "/v2/" + repository.repository() + "/blobs/uploads/";
}
inline std::string manifest_path(const ImageRef& ref) {
  return "/v2/" + ref.repository() + "/manifests/" + ref.identifier();
}

} // namespace cairn
