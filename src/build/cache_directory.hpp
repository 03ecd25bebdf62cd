#pragma once

#include "fs/layer_index.hpp"
#include "oci/blob_store.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "util/held_entries.hpp"
#include "util/stream.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace cairn {

/// --cache-dir: what builds keep for each other. Everything in it may be removed between builds,
/// and everything but the blobs is derived from them.
///
///   blobs/sha256/<hex>     layers, manifests and configurations by digest
///   names/<sha256>.json    what the name of an image led to, see image_memory.hpp
///   steps/<key>.json       manifests of the step cache
///   indexes/<diff id>      what a layer holds, see fs/layer_index.hpp
///   unpacked/<chain id>/   a layer as the lower directory of an overlay
///   mounts/                cache mounts, see cache_mounts.hpp
///   sha256:<hex>           what kaniko's warmer left, see kaniko_entry.hpp
///
/// Several builds may use it at once, see util/held_entries.hpp. One that cannot be written is
/// read. Nothing in it is trusted. Thread-safe.
class CacheDirectory {
public:
  enum class Access { read_only, read_and_write };

  /// Makes what is missing where that is possible. @throws SysError when there is no directory
  explicit CacheDirectory(const std::string& path);

  const std::string& path() const noexcept { return blobs_.root(); }
  Access access() const noexcept { return access_; }
  bool is_writable() const noexcept { return access_ == Access::read_and_write; }
  const BlobStore& blobs() const noexcept { return blobs_; }

  /// A blob, verified at its end as well; null when there is none, or one that is damaged, which
  /// then is removed. It stays there while this value lives.
  std::unique_ptr<Source> open_blob(const Descriptor& blob) const;
  /// A small blob; nothing when there is none with this digest, or more than `limit` bytes.
  std::optional<std::string> blob_text(const Digest& digest, std::uint64_t limit) const;
  /// Keeps an entry that is about to be used. False when it is not there.
  bool hold(const std::string& entry) const { return held_.hold(entry); }
  /// Lets go of all that was used. Nothing more is.
  void release() const { held_.release(); }

  /// The index of a layer; nothing when there is none, or one that is damaged.
  std::optional<IndexedLayer> index(const Digest& diff_id) const;
  bool has_index(const Digest& diff_id) const;
  /// Keeps an index. Quiet when that is not possible.
  void keep_index(const Digest& diff_id, const IndexedLayer& layer) const noexcept;

  /// The directory that a layer was unpacked into, by its chain id: the same layer may mean
  /// something else above others. It stays there while this value lives.
  std::optional<std::string> unpacked(const Digest& chain_id) const;
  /// Whether layers that were unpacked here can be used: they belong to those that layers say.
  bool can_use_unpacked() const noexcept { return can_use_unpacked_; }
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
    Fd held_;
  };

private:
  std::string place(std::string_view kind, const Digest& digest) const;
  bool is_intact(FdRef file, const Descriptor& blob) const;

  Access access_;
  BlobStore blobs_;
  bool can_use_unpacked_ = false;
  bool can_unpack_ = false;
  mutable HeldEntries held_;
  mutable std::mutex mutex_;
  mutable std::set<Digest> intact_; ///< Blobs that were read once and found to be themselves.
};

} // namespace cairn
