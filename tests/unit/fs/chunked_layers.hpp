#pragma once

#include "archives.hpp"
#include "fs/chunked/table_of_contents.hpp"
#include "oci/blob_ranges.hpp"
#include "oci/manifest.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::test {

/// A layer with a table of contents, written as the tools do that are known for it.
struct ChunkedLayer {
  std::string blob;
  Annotations annotations;
  std::string toc; ///< The JSON.

  Descriptor descriptor() const;
};

/// How the layer is written. `edit` changes the JSON, which then has the right digest all the same.
struct ChunkedWriting {
  TableHint::Form form = TableHint::Form::estargz;
  std::size_t chunk_size = 1000;
  std::function<std::string(std::string)> edit = [](std::string toc) { return toc; };
};

ChunkedLayer write_chunked(const std::vector<Member>& members, const ChunkedWriting& how);

/// A layer whose table has these rows, and which holds nothing else.
ChunkedLayer with_rows(std::string_view rows);

/// Opens parts of a blob, and keeps which.
class Ranges {
public:
  explicit Ranges(std::string blob) : blob_(std::move(blob)) {}

  RangeOpener opener();
  const std::vector<ByteRange>& asked() const noexcept { return asked_; }
  void forget() { asked_.clear(); }
  /// From now on this byte is another one.
  void damage(std::size_t at) { blob_[at] = static_cast<char>(blob_[at] ^ 1); }

private:
  std::string blob_;
  std::vector<ByteRange> asked_;
};

/// The table of a layer. @throws TableUnusable
LayerTable table_of(const ChunkedLayer& layer, Ranges& ranges);
LayerTable table_of(const ChunkedLayer& layer);

} // namespace cairn::test
