#pragma once

#include "oci/blob_store.hpp"
#include "oci/manifest.hpp"

#include <map>
#include <string>

namespace cairn {

/// The files of an archive, each stored as a blob, by their names in it: "manifest.json".
using ArchiveFiles = std::map<std::string, Descriptor, std::less<>>;

/// The manifest of the one image in an archive of `docker save`. Layers that have no compression
/// are compressed into `blobs`; all of them have the diff ids that the configuration says.
/// @throws Error
Manifest docker_archive_manifest(const ArchiveFiles& files, const BlobStore& blobs);

} // namespace cairn
