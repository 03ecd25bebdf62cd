#pragma once

#include "oci/blob_store.hpp"
#include "oci/manifest.hpp"
#include "util/stream.hpp"

#include <memory>
#include <string>

namespace cairn {

/// A blob that is a document, verified. @throws Error, also when it is larger than 8 MiB
std::string stored_text(const BlobStore& blobs, const Descriptor& blob);

/// Reads `from` and throws at its end unless the bytes are those of `blob`.
std::unique_ptr<Source> verify_blob(std::unique_ptr<Source> from, const Descriptor& blob);

} // namespace cairn
