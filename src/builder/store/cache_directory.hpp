#pragma once

#include "builder/store/context_digests.hpp"
#include "builder/store/unpacked_layers.hpp"
#include "fs/tree/packed_index.hpp"
#include "oci/blob_store.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "util/cache_failure.hpp"
#include "util/cache_locks.hpp"
#include "util/progress.hpp"
#include "util/stream.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// --cache-dir: what builds keep for each other. Everything in it may be removed between builds,
/// and everything but the blobs is derived from them.
///
///   blobs/sha256/<hex>     layers, manifests and configurations by digest
///   names/<sha256>.json    what the name of an image led to, see image_memory.hpp
///   steps/<key>.json       manifests of the step cache
///   indexes/<diff id>      what a layer holds, see fs/tree/packed_index.hpp
///   contexts/digests       of files in contexts, see context_digests.hpp
///   unpacked/<chain id>/   a layer as the lower directory of an overlay, see unpacked_layers.hpp
///   mounts/                cache mounts, see cache_mounts.hpp
///   sha256:<hex>           what kaniko's warmer left, see kaniko_entry.hpp
///
/// Several builds may use it at once, see util/cache_locks.hpp. One that cannot be written is
/// read, and a folder of it that is no directory is left alone. Nothing in it is trusted.
/// Thread-safe.
class CacheDirectory {
public:
  enum class Access { read_only, read_and_write };

  /// Makes what is missing where that is possible, and tells `progress` what cannot be used.
  /// @throws SysError when there is no directory
  CacheDirectory(const std::string& path, Progress& progress);

  const std::string& path() const noexcept { return blobs_.root(); }
  Access access() const noexcept { return access_; }
  bool is_writable() const noexcept { return access_ == Access::read_and_write; }
  const BlobStore& blobs() const noexcept { return blobs_; }

  /// A blob, verified at its end; null when there is none, or one of another size, which then is
  /// removed. It stays there while this value lives. Once one was lost, others are verified before
  /// they are given out as well.
  std::unique_ptr<Source> open_blob(const Descriptor& blob) const;
  /// Whether open_blob() would give a blob and its bytes are as they should be: reads it. One that
  /// is damaged is removed.
  bool has_blob(const Descriptor& blob) const;
  /// Who could make no sense of a blob asks whether that is because it is damaged, which makes it a
  /// lost one.
  void doubt(const Descriptor& blob) const;
  /// How many blobs were damaged or gone after they had been opened. They are not opened again.
  std::size_t lost_blobs() const;
  /// A small blob; nothing when there is none with this digest, or more than `limit` bytes.
  std::optional<std::string> blob_text(const Digest& digest, std::uint64_t limit) const;
  /// Keeps an entry that is about to be used. False when it is not there.
  bool hold(const std::string& entry) const { return held_.hold(entry); }
  /// Lets go of all that was used. Nothing more is.
  void release() const;

  /// The index of a layer; nothing when there is none, or one that is damaged.
  std::optional<IndexedLayer> index(const Digest& diff_id) const;
  bool has_index(const Digest& diff_id) const;
  std::string index_path(const Digest& diff_id) const;
  /// Keeps an index. Quiet when that is not possible.
  void keep_index(const Digest& diff_id, const PackedIndex& index) const noexcept;

  /// Digests of files in contexts; none when there are none, or they are damaged.
  ContextDigests context_digests() const;
  /// Keeps them if they have changed. Quiet when that is not possible.
  void keep(ContextDigests& digests) const noexcept;

  /// Layers that are unpacked already. Only root can give files to the owners that layers say, and
  /// whiteouts take extended attributes.
  UnpackedLayers& unpacked() const noexcept { return *unpacked_; }

  /// Says once in a build that something cannot be kept. Quiet from then on.
  void tell(const CacheFailure& failure) const noexcept;

private:
  enum class Verify { size, content };
  std::optional<Fd> open_verified(const Descriptor& blob, Verify what) const;
  void lose(const Digest& blob) const;

  Access access_;
  BlobStore blobs_;
  Progress& progress_;
  mutable CacheLocks held_;
  std::unique_ptr<UnpackedLayers> unpacked_;
  mutable std::mutex mutex_;
  mutable bool has_told_ = false;
  mutable std::size_t lost_blobs_ = 0;
};

} // namespace cairn
