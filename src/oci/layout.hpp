#pragma once

#include "oci/blob_store.hpp"
#include "oci/manifest.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// An OCI image layout directory: "oci-layout", "index.json" and blobs.
class Layout {
public:
  /// An existing layout. @throws Error when `path` is none
  static Layout open(const std::string& path);
  /// A new or existing one; index.json is written by set_index alone.
  static Layout create(const std::string& path);

  const BlobStore& blobs() const noexcept { return blobs_; }
  Index index() const;
  /// Replaces index.json, atomically.
  void set_index(const Index& index) const;
  /// The entry of index.json with this org.opencontainers.image.ref.name or digest; with neither
  /// the only entry. @throws Error when it is not there or not unique
  Descriptor find(const std::optional<std::string>& tag, const std::optional<Digest>& digest) const;

private:
  explicit Layout(const std::string& path) : blobs_(path) {}

  BlobStore blobs_;
};

} // namespace cairn
