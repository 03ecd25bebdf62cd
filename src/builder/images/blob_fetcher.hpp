#pragma once

#include "builder/store/cache_directory.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace cairn {

/// What became of a blob.
struct BlobOutcome {
  std::uint64_t fetched = 0; ///< Bytes that were asked for now,
  std::uint64_t reused = 0;  ///< and those that were there.
};

/// Whether a blob that is there is fetched all the same.
enum class Refetch { no, yes };

/// Fetches blobs into a cache directory, so that a download that was cut off, by a kill even, goes
/// on where it ended:
///
///   blobs/sha256/.fetching-<hex>   the beginning of a blob, locked by the one who fetches it
///
/// A blob appears under its name when it is complete and verified. Two programs that want the same
/// blob fetch it once. Thread-safe.
class BlobFetcher {
public:
  /// All are borrowed. The directory can be written.
  BlobFetcher(const CacheDirectory& cache, RegistryClient& registry,
              const std::atomic<bool>& cancel)
      : cache_(cache), registry_(registry), cancel_(cancel) {}

  /// From the first of `places` that has it. @throws Error, TemporaryError, Cancelled
  BlobOutcome fetch(const std::vector<ImageRef>& places, const Descriptor& blob,
                    Refetch refetch) const;

private:
  BlobOutcome fetch_into(FdRef partial, const std::vector<ImageRef>& places,
                         const Descriptor& blob) const;
  std::uint64_t fetch_from(const ImageRef& place, const Descriptor& blob, FdRef partial) const;

  const CacheDirectory& cache_;
  RegistryClient& registry_;
  const std::atomic<bool>& cancel_;
};

} // namespace cairn
