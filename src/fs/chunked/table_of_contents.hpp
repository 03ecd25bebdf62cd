#pragma once

#include "fs/chunked/layer_table.hpp"
#include "oci/blob_ranges.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "util/error.hpp"

#include <optional>

namespace cairn {

/// Where a manifest says that a layer has a table of contents, and what it has to be.
struct TableHint {
  enum class Form {
    estargz,      ///< A file of the layer; its footer says where (stargz-snapshotter, estargz.md).
    zstd_chunked, ///< In a skippable frame (containers/storage, pkg/chunked).
  };
  Form form = Form::estargz;
  Digest digest;                ///< Of the JSON, or of the bytes in the frame.
  ByteRange place = {};         ///< zstd_chunked: in the blob.
  std::uint64_t plain_size = 0; ///< zstd_chunked: of the JSON.
};

/// What the annotations of a layer's descriptor say. Nothing when they speak of no table, or of
/// one that cannot be in this blob.
std::optional<TableHint> find_table(const Descriptor& layer);

/// A table that cannot be gone by: the layer has to be read whole.
class TableUnusable final : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw TableUnusable(*this); }
};

/// Reads a layer's table in one or two requests, and believes it when it has the digest of `hint`.
/// @throws TableUnusable when it has another one, makes no sense or says less than reading files
/// by it takes; what `open` and its Source throw
LayerTable read_table(const TableHint& hint, const RangeOpener& open, const TableLimits& limits);

} // namespace cairn
