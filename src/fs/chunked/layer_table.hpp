#pragma once

#include "fs/archive/expansion.hpp"
#include "fs/archive/name_budget.hpp"
#include "fs/chunked/toc_json.hpp"
#include "fs/tree/tree.hpp"
#include "oci/digest.hpp"
#include "oci/media_type.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cairn {

/// A piece of a regular file that can be read without what is before it in the blob.
struct LayerChunk {
  using Hash = std::array<std::uint8_t, 32>;

  std::uint64_t blob_offset = 0;  ///< Where the gzip member or zstd frame begins that holds it.
  std::uint64_t blob_end = 0;     ///< Where something else begins.
  std::uint64_t inner_offset = 0; ///< Bytes of that member, decompressed, that stand before it.
  std::uint64_t file_offset = 0;
  std::uint64_t size = 0; ///< Decompressed.
  Hash sha256{};          ///< Of the decompressed bytes.

  static Hash hash_of(const Digest& digest);
  std::string digest() const; ///< "sha256:…"
};

/// What a layer's table of contents says: the entries, and where each file's content is.
///
/// A position counts the entries of this index, which is not always the order of the tar stream:
/// content is opened by its chunks, never by counting the entries of the stream.
struct LayerTable {
  LayerIndex index;
  Compression compression = Compression::gzip; ///< Of the chunks.
  std::vector<LayerChunk> chunks;              ///< Of one file after the other.
  std::vector<std::uint32_t> first_chunks;     ///< By position, and one more for the end.

  /// Of the regular file at `position`, in the order of its bytes; none when it is empty.
  std::span<const LayerChunk> chunks_of(std::uint32_t position) const;
};

/// What a table may make us keep and read, besides what it shares with tar (TarLimits).
struct TableLimits {
  std::uint64_t blob_size = 0;                ///< Of the layer.
  ExpansionLimit expansion = {};              ///< Of all files together, by the blob's size.
  std::uint64_t compressed_bytes = 32U << 20; ///< Of the table itself.
  std::uint64_t plain_bytes = 160U << 20;
  std::uint64_t rows = 2'000'000; ///< Files and further chunks.
};

/// A file of a layer that its table says nothing about: the table's own.
struct TableFile {
  LayerEntry entry;
  LayerChunk content;
};

/// Makes a LayerTable of the entries in the order of a table, and believes nothing: names are those
/// that a layer's tar stream may have, each is there once, a hard link's target before it; the
/// chunks of a file add up to it and no two chunks share a byte of the blob.
class LayerTableBuilder {
public:
  LayerTableBuilder(Compression compression, TableLimits limits);

  /// @throws Error when the entry makes no sense, or says less than reading it takes
  void add(TocEntry&& entry);
  /// `table_offset`: where in the blob the table begins; no chunk reaches beyond. `own` becomes the
  /// last entry. @throws Error
  LayerTable finish(std::uint64_t table_offset, std::optional<TableFile> own = std::nullopt);

private:
  void add_chunk(const TocEntry& entry);
  void push(LayerEntry entry);
  void finish_file();
  void place_chunks(std::uint64_t table_offset);
  void check_names() const;
  LayerEntry convert(const TocEntry& entry);
  std::vector<Xattr> convert_xattrs(const TocEntry& entry);

  LayerTable table_;
  TableLimits limits_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t xattr_bytes_ = 0;
  NameBudget names_;
  bool has_file_ = false;        ///< The last entry is a regular file, which may get more chunks.
  std::string file_name_;        ///< Of that file, as it was written.
  std::string file_digest_;      ///< Of that file as a whole.
  std::uint64_t file_end_ = 0;   ///< Where its last chunk ends in the blob; 0: not said.
  bool first_has_digest_ = true; ///< Its first chunk has one of its own.
};

} // namespace cairn
