#pragma once

#include "fs/chunked/layer_table.hpp"
#include "oci/blob_ranges.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace cairn {

/// Reads files of a layer by its table: what lies around them in the blob is not fetched. Every
/// chunk is verified while it streams. Thread-safe.
class ChunkReader {
public:
  /// A gap of that many bytes between two chunks costs less than another request.
  static constexpr std::uint64_t usual_gap = std::uint64_t{256} << 10;

  /// `place` names the layer in messages.
  ChunkReader(std::shared_ptr<const LayerTable> table, RangeOpener open, std::string place,
              std::uint64_t gap = usual_gap)
      : table_(std::move(table)), open_(std::move(open)), place_(std::move(place)), gap_(gap) {}

  const LayerTable& table() const noexcept { return *table_; }

  /// The content of the regular file at `position`. read() throws instead of returning 0 when a
  /// chunk is another one than the table says, and names it.
  std::unique_ptr<Source> open(std::uint32_t position) const;

  /// Shows each of `positions`, regular files, to `visit` in the order of the blob, with as few
  /// requests as make sense. What is left unread is not looked at.
  using Visitor = std::function<void(std::uint32_t position, Source& content)>;
  void read(const std::set<std::uint32_t>& positions, const Visitor& visit) const;

private:
  std::string name_of(std::uint32_t position) const;

  std::shared_ptr<const LayerTable> table_;
  RangeOpener open_;
  std::string place_;
  std::uint64_t gap_;
};

} // namespace cairn
