#pragma once

#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "util/crypto.hpp"
#include "util/fd.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace cairn {

/// A directory of blobs named by their digest, "<root>/blobs/sha256/<hex>": the shape of an OCI
/// image layout. A blob is there whole and verified, or not at all. Safe for several processes.
class BlobStore {
public:
  /// Creates the directories. @throws SysError
  explicit BlobStore(std::string root);
  /// One that is only read, and may lack all or some of it.
  static BlobStore existing(std::string root) { return BlobStore(Existing{std::move(root)}); }

  const std::string& root() const noexcept { return root_; }
  bool has(const Digest& digest) const;
  /// The size in bytes; nothing when the blob is not here.
  std::optional<std::uint64_t> size(const Digest& digest) const;
  /// @throws Error when it is not here
  Fd open(const Digest& digest) const;
  std::unique_ptr<Source> read(const Digest& digest) const;
  std::string path(const Digest& digest) const;

  /// Stores `bytes` under their digest.
  Digest put(std::string_view bytes) const;

  /// Removes every other blob. What is still being written stays.
  void keep_only(const std::set<Digest>& digests) const;

  /// Takes the bytes of one blob, hashing them on the way.
  class Writer final : public Sink {
  public:
    explicit Writer(const BlobStore& store);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() override; ///< Without commit() nothing remains.

    void write(std::span<const std::byte> bytes) override;
    std::uint64_t count() const noexcept { return count_; }
    /// The digest of all that was written; nothing may be written after it.
    const Digest& digest();
    /// Names the blob by its digest. @throws SysError
    Digest commit();
    /// The same when the digest and size are known beforehand. @throws Error when they differ
    void commit(const Digest& expected, std::uint64_t size);

  private:
    void rename_to(const Digest& digest);

    const BlobStore& store_;
    std::string temporary_;
    Fd fd_;
    Sha256 hash_;
    std::optional<Digest> digest_;
    std::uint64_t count_ = 0;
  };

private:
  struct Existing {
    std::string root;
  };
  explicit BlobStore(Existing at) : root_(std::move(at.root)) {}

  std::string root_;
};

} // namespace cairn
