#pragma once

#include "fs/tree/file_stamp.hpp"
#include "util/stream.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace cairn {

/// SHA-256 digests of files in contexts, by what stat(2) said of them: so that a file that has not
/// changed need not be read for the key of a step. At most two million, in 72 bytes each.
class ContextDigests {
public:
  using Digest = std::array<std::byte, 32>;

  ContextDigests() = default;
  /// What write() has written. @throws Error when it is damaged, or of another form
  explicit ContextDigests(Source& from);

  /// The digest of a file with this stamp. It counts as used.
  std::optional<Digest> find(const FileStamp& stamp);

  /// Remembers what a file held at `seen`, and since before `stamp` was taken. A file that changed
  /// too shortly before could have changed since without another ctime: it is not remembered.
  void add(const FileStamp& stamp, const Digest& digest, Time seen);

  /// Whether add() has remembered anything.
  bool has_changed() const noexcept { return !added_.empty(); }

  /// In a form of Cairn's own, which ends with its SHA-256. When there are too many, those are left
  /// out that were neither used nor added.
  void write(Sink& to);

private:
  struct Row {
    FileStamp stamp;
    Digest digest{};
  };

  void merge();

  std::vector<Row> rows_;  ///< Sorted.
  std::vector<bool> used_; ///< Beside rows_.
  std::vector<Row> added_;
};

} // namespace cairn
