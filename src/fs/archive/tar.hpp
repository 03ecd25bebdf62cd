#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/entry_name.hpp"
#include "fs/archive/expansion.hpp"
#include "util/stream.hpp"

#include <memory>
#include <optional>

namespace cairn {

/// Limits on what an archive from outside may make us do, besides that of its names (NameBudget).
struct TarLimits {
  std::uint64_t entries = 2'000'000;
  std::uint64_t bytes = std::uint64_t{1} << 40; ///< Sum of all contents; twice that of the stream.
  std::size_t path_length = 4096;
  /// For each entry, names and values; Linux takes at most 64 KiB of either.
  std::uint64_t xattr_bytes = std::uint64_t{128} << 10;
  std::uint64_t all_xattr_bytes = std::uint64_t{16} << 20; ///< Their sum: an index keeps them.
  /// All headers that describe one entry, maps of sparse files among them.
  std::uint64_t header_bytes = std::uint64_t{16} << 20;
  /// Holes of sparse files count as what is unpacked. Borrowed; null: any size will do.
  const ExpansionGauge* expansion = nullptr;
};

/// Reads a tar stream (ustar, pax, GNU) one entry at a time, in constant memory.
/// Names are made RootedPaths: leading slashes and "./" go.
class TarReader {
public:
  explicit TarReader(Source& from, TarLimits limits = {}, TarNames names = TarNames::strict);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader();

  /// The next entry, skipping what is left of the current one; nothing at the end of the archive.
  /// Global pax headers and other entries that are no files are passed over.
  /// @throws Error on a damaged or truncated archive or one beyond the limits
  std::optional<LayerEntry> next();

  /// A block of the current entry's content. Gaps between blocks are holes of a sparse file.
  struct Block {
    std::uint64_t offset = 0;
    std::span<const std::byte> bytes; ///< Valid until the next call.
  };
  std::optional<Block> read_block();
  /// The current entry's content as a stream, holes read as zeros.
  void copy_to(Sink& to);
  /// Reads to the very end, so that decorators below see every byte (trailing blocks included).
  void drain();

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes a tar stream in pax format: deterministic, sub-second times, long names, xattrs as
/// SCHILY.xattr records.
class TarWriter {
public:
  explicit TarWriter(Sink& to);
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;
  ~TarWriter();

  /// Adds an entry; `content` must give exactly meta.size bytes (nullptr when it has none).
  void add(const LayerEntry& entry, Source* content);
  /// Writes the end of the archive. Does not finish the sink.
  void finish();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
