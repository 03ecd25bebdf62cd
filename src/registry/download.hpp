#pragma once

#include "net/retry.hpp"
#include "oci/manifest.hpp"
#include "registry/session.hpp"
#include "util/stream.hpp"

#include <atomic>

namespace cairn {

/// Writes a blob to `sink`, verified against its descriptor; after a dropped connection it goes on
/// where that broke. Attempts start anew whenever a mebibyte has come in between.
/// @throws NotInRegistry; Error when the bytes are others; TemporaryError
void download_blob(RegistrySession& session, const Retry& retry, const Access& access,
                   const Descriptor& blob, Sink& sink, const std::atomic<bool>* cancel);

} // namespace cairn
