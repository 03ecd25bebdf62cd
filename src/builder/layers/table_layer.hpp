#pragma once

#include "builder/images/base_image.hpp"
#include "fs/chunked/chunk_reader.hpp"
#include "fs/chunked/layer_table.hpp"
#include "util/progress.hpp"
#include "util/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace cairn {

/// What layers are read with by their tables of contents.
struct TableReading {
  Progress& progress;    ///< Borrowed.
  std::string temporary; ///< A directory, for a layer whose registry does not give parts of it.
};

/// The layer of a base image as its table of contents says: that, and the files that are asked for,
/// is all that is fetched of it. Thread-safe.
class TableLayer {
public:
  /// Opens the layer as a whole, verified.
  using WholeOpener = std::function<std::unique_ptr<Source>()>;

  /// Null, with a debug line, when the layer has no table, none to go by, or its registry does not
  /// give parts of blobs: then it is read whole. @throws Error when the registry fails
  static std::unique_ptr<TableLayer> open(const BaseImage& base, std::size_t number,
                                          WholeOpener whole, const TableReading& reading);

  /// What the positions of files count, in a Tree as well.
  const LayerIndex& index() const noexcept { return files_.table().index; }

  /// One file, see ChunkReader::open().
  std::unique_ptr<Source> open_file(std::uint32_t position) const { return files_.open(position); }
  /// Several, see ChunkReader::read().
  void read_files(const std::set<std::uint32_t>& positions,
                  const ChunkReader::Visitor& visit) const {
    files_.read(positions, visit);
  }

private:
  explicit TableLayer(ChunkReader files) : files_(std::move(files)) {}

  ChunkReader files_;
};

} // namespace cairn
