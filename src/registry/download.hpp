#pragma once

#include "net/retry.hpp"
#include "oci/blob_ranges.hpp"
#include "oci/manifest.hpp"
#include "registry/session.hpp"
#include "util/stream.hpp"

#include <atomic>

namespace cairn {

struct Download {
  Access access;
  const Descriptor& blob;
  const std::atomic<bool>* cancel; ///< May be none.
  /// The beginning of the blob, when that is there from an earlier download; may be null.
  Source* begun = nullptr;
};

/// Writes a blob to `sink`, or what comes after its beginning, verified against its descriptor;
/// after a dropped connection it goes on where that broke. Attempts start anew whenever a mebibyte
/// has come in between.
/// @throws NotInRegistry; Error when the bytes are others; TemporaryError
void download_blob(RegistrySession& session, const Retry& retry, const Download& download,
                   Sink& sink);

/// Writes a part of a blob to `sink`, which nobody has verified; a dropped connection is resumed.
/// Of `download` the beginning is not used.
/// @throws RangeRefused when the registry sends all of the blob instead, or another part, none of
/// which reaches `sink`; NotInRegistry; Error; TemporaryError
void download_range(RegistrySession& session, const Retry& retry, const Download& download,
                    ByteRange range, Sink& sink);

} // namespace cairn
