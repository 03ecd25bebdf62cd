#pragma once

#include "builder/options/build_options.hpp"
#include "builder/store/cache_directory.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "util/clock.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// What --cache-dir remembers of images: manifests, indexes and configurations as blobs, and which
/// digest a name led to. kaniko's warmer's entries are read as well. Nothing in it is trusted, what
/// is damaged is as good as not there, and what cannot be kept is not. Thread-safe.
class ImageResolutionCache {
public:
  /// `directory` must outlive it. Names, and what kaniko left, count for `time_to_live`.
  ImageResolutionCache(const CacheDirectory& directory, std::chrono::nanoseconds time_to_live,
                       Clock clock)
      : directory_(directory), time_to_live_(time_to_live), clock_(std::move(clock)) {}

  /// A manifest or an index.
  std::optional<ManifestBytes> manifest(const Digest& digest) const;
  void keep(const ManifestBytes& document) const noexcept { keep_text(document.raw); }

  /// The configuration of an image.
  std::optional<std::string> config(const Digest& manifest, const Descriptor& blob) const;
  void keep_text(std::string_view text) const noexcept;

  /// A layer that kaniko's warmer left; null when it did not. Others are in the directory's blobs.
  std::unique_ptr<Source> open_layer(const Digest& manifest, const Descriptor& blob) const;

  /// What a name led to, and when a registry said so.
  struct Name {
    Digest digest;
    Time when;
  };
  std::optional<Name> find(const ImageRef& ref) const;
  void remember(const ImageRef& ref, const Digest& digest) const noexcept;

  /// How long ago that was, for messages.
  std::string age(const Name& name) const;

private:
  std::string path(const ImageRef& ref) const;

  const CacheDirectory& directory_;
  std::chrono::nanoseconds time_to_live_;
  Clock clock_;
};

/// What base images were when they were last asked for. Null without a directory, which must
/// outlive it.
std::unique_ptr<ImageResolutionCache> open_image_resolution_cache(const CacheDirectory* directory,
                                                                  const CacheOptions& options,
                                                                  Clock clock);

} // namespace cairn
