#pragma once

#include "fs/archive/expansion.hpp"
#include "oci/blob_store.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// A file that was downloaded, open.
struct DownloadedFile {
  Digest digest;
  Fd file;
  std::uint64_t size = 0;
  Time modified{};            ///< 1970 when the server did not say.
  std::string suggested_name; ///< By the server; "" or a single component.
  ExpansionLimit limit{};     ///< What it may be unpacked to.

  /// From its start. The file must outlive the Source; several may read it.
  std::unique_ptr<Source> open() const { return std::make_unique<RangeSource>(file, 0, size); }
};

/// What a server said of a file.
struct DownloadRecord {
  Digest digest;
  std::string etag;          ///< As sent; may be empty, as the others.
  std::string last_modified; ///< As sent.
  std::string suggested_name;
};

/// Files that were downloaded, and what servers said of them, perhaps in earlier builds. Several
/// builds may use one directory at the same time; everything in it appears whole or not at all.
///
///   <directory>/blobs/sha256/<hex>   the files
///   <directory>/urls/<hex>           the record of the URL with this SHA-256, as JSON
class DownloadStore {
public:
  /// Makes the directory, for this user alone. @throws Error when it cannot be written
  explicit DownloadStore(const std::string& directory);
  /// One that is only read, and need not be there.
  static DownloadStore existing(std::string directory) {
    auto blobs = BlobStore::existing(directory);
    return {std::move(directory), std::move(blobs)};
  }

  const BlobStore& blobs() const noexcept { return blobs_; }

  /// Nothing when there is none that can be read.
  std::optional<DownloadRecord> find(const std::string& url) const;
  /// The file of the record has been stored. @throws SysError
  void remember(const std::string& url, const DownloadRecord& record) const;

  /// A file that was stored a moment ago. @throws Error
  DownloadedFile open(const DownloadRecord& record) const;
  /// A file that may have been there for long: nothing when it is not there, or is damaged.
  std::optional<DownloadedFile> open_kept(const DownloadRecord& record) const;
  /// The same of a file that is known by its digest alone, with the time that it was stored with.
  std::optional<DownloadedFile> open_kept(const Digest& digest) const;

private:
  DownloadStore(std::string directory, BlobStore blobs)
      : directory_(std::move(directory)), blobs_(std::move(blobs)) {}
  std::string record_path(const std::string& url) const;

  std::string directory_;
  BlobStore blobs_;
};

} // namespace cairn
