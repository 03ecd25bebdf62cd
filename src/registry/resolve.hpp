#pragma once

#include "oci/manifest.hpp"
#include "oci/platform.hpp"
#include "registry/client.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// An image for one platform, without its layers.
struct ResolvedImage {
  ImageRef ref; ///< Where it was found: registry and repository for its blobs, tag or digest.
  Manifest manifest;
  std::string config;          ///< The configuration as it was sent, verified.
  Descriptor descriptor;       ///< Of the manifest; with the platform when an index named it.
  std::optional<Digest> index; ///< The index that `ref` named, if it was one.
};

/// Where the documents that describe images come from: registries, or what is kept of them.
class ImageDocuments {
public:
  virtual ~ImageDocuments() = default;
  /// The manifest or index with the tag or digest of `ref`, verified; nothing when it is not there.
  /// @throws Error
  virtual std::optional<ManifestBytes> manifest(const ImageRef& ref) = 0;
  /// A configuration, verified. @throws Error
  virtual std::string config(const ImageRef& repository, const Descriptor& blob) = 0;
};

/// The registries' own.
class RegistryDocuments final : public ImageDocuments {
public:
  explicit RegistryDocuments(RegistryClient& client) : client_(client) {}
  std::optional<ManifestBytes> manifest(const ImageRef& ref) override;
  std::string config(const ImageRef& repository, const Descriptor& blob) override;

private:
  RegistryClient& client_;
};

/// What `from` has under `ref`. @throws NotInRegistry when that is nothing
ManifestBytes require_manifest(ImageDocuments& from, const ImageRef& ref);

/// Follows `ref` to the manifest for `platform`, through indexes if need be, and fetches its
/// config. An image that is no index is taken as it is. @throws NotInRegistry; Error listing the
/// platforms there are
ResolvedImage resolve_image(ImageDocuments& from, const ImageRef& ref, const Platform& platform);
ResolvedImage resolve_image(RegistryClient& client, const ImageRef& ref, const Platform& platform);

/// The same with the first of `candidates` that answers (registry/mirrors.hpp); what went wrong
/// with the others is a warning. @throws the error of the last one
ResolvedImage resolve_image(ImageDocuments& from, const std::vector<ImageRef>& candidates,
                            const Platform& platform, Progress& progress);
ResolvedImage resolve_image(RegistryClient& client, const std::vector<ImageRef>& candidates,
                            const Platform& platform, Progress& progress);

} // namespace cairn
