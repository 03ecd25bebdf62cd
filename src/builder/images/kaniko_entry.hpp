#pragma once

#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "util/clock.hpp"
#include "util/stream.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// What kaniko's warmer left of an image in a cache directory, under the digest of its manifest for
/// one platform. Either
///
///   sha256:<hex>/       an OCI image layout, or
///   sha256:<hex>        an archive of docker save: "sha256:<hex>" and "<hex>.tar.gz" for blobs
///   sha256:<hex>.json   with the manifest as the registry sent it
///
/// As in kaniko an entry counts for a while after it was written. Only looked at: what is damaged
/// or something else is as good as not there.
class KanikoEntry {
public:
  KanikoEntry(const std::string& directory, Digest manifest)
      : path_(directory + "/" + manifest.str()), manifest_(std::move(manifest)) {}

  bool counts(std::chrono::nanoseconds time_to_live, Time now) const;
  /// The manifest as the registry sent it.
  std::optional<std::string> manifest(std::uint64_t limit) const;
  /// A blob of the image, verified before and at its end; null when it is not there.
  std::unique_ptr<Source> open(const Descriptor& blob) const;

private:
  std::unique_ptr<Source> open_unverified(const Descriptor& blob) const;

  std::string path_;
  Digest manifest_;
};

} // namespace cairn
