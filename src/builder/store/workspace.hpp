#pragma once

#include "oci/blob_store.hpp"
#include "util/file.hpp"
#include "util/locked_dir.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// The directory of one build: blobs, unpacked layers, temporary files. Removed with this value, or
/// by the next build when this one is killed.
class Workspace {
public:
  /// In the first of `candidates` that can be written. What killed builds left in any of them is
  /// removed. @throws Error naming all when none can
  explicit Workspace(const std::vector<std::string>& candidates);

  const std::string& path() const noexcept { return directory_->path(); }
  const BlobStore& store() const noexcept { return *store_; }
  /// Where temporary files go.
  const std::string& temporary() const noexcept { return temporary_; }
  /// The path of a new empty directory. Thread-safe.
  std::string new_directory(const std::string& kind);

private:
  std::optional<LockedDir> directory_;
  std::optional<BlobStore> store_;
  std::string temporary_;
  std::atomic<unsigned> next_ = 0;
};

} // namespace cairn
