#pragma once

#include "fs/layer_index.hpp"
#include "oci/blob_store.hpp"
#include "oci/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// --cache-dir: what builds keep for each other. Everything in it may be removed between builds,
/// and everything but the blobs is derived from them.
///
///   blobs/sha256/<hex>     layers, manifests and configurations by digest
///   steps/<key>.json       manifests of the step cache
///   indexes/<diff id>      what a layer holds, see fs/layer_index.hpp
///   unpacked/<chain id>/   a layer as the lower directory of an overlay
///   mounts/                cache mounts, see cache_mounts.hpp
///
/// Several builds may use it at once. Thread-safe.
class CacheDirectory {
public:
  /// Makes what is missing. @throws SysError when it cannot be written
  explicit CacheDirectory(const std::string& path);

  const std::string& path() const noexcept { return blobs_.root(); }
  const BlobStore& blobs() const noexcept { return blobs_; }

  /// The index of a layer; nothing when there is none, or one that is damaged.
  std::optional<IndexedLayer> index(const Digest& diff_id) const;
  /// Keeps an index. Quiet when that is not possible.
  void keep_index(const Digest& diff_id, const IndexedLayer& layer) const noexcept;

  /// The directory that a layer was unpacked into, by its chain id: the same layer may mean
  /// something else above others.
  std::optional<std::string> unpacked(const Digest& chain_id) const;
  /// Whether layers for overlays can be unpacked here: their whiteouts take extended attributes.
  bool can_unpack() const noexcept { return can_unpack_; }

  /// A layer on its way to unpacked().
  class Unpacking {
  public:
    /// @throws SysError
    explicit Unpacking(const CacheDirectory& cache);
    Unpacking(const Unpacking&) = delete;
    Unpacking& operator=(const Unpacking&) = delete;
    ~Unpacking(); ///< Without commit() nothing remains.

    const std::string& path() const noexcept { return path_; }
    /// Where it is then: what another build unpacked at the same time is as good.
    std::string commit(const Digest& chain_id);

  private:
    const CacheDirectory& cache_;
    std::string path_;
  };

private:
  std::string place(std::string_view kind, const Digest& digest) const;

  BlobStore blobs_;
  bool can_unpack_ = false;
};

} // namespace cairn
