#pragma once

#include "fs/archive/entry.hpp"
#include "fs/tree/layer_index.hpp"
#include "util/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cairn::bench {

/// As many as the workloads' large base has.
inline constexpr std::size_t file_count = 63'000;

/// Takes bytes and does nothing with them.
class NullSink final : public Sink {
public:
  void write(std::span<const std::byte> bytes) override { count_ += bytes.size(); }
  std::uint64_t count() const noexcept { return count_; }

private:
  std::uint64_t count_ = 0;
};

/// Text that compresses about as source code does; always the same.
std::string source_text(std::size_t size);

/// A root file system's worth of directories, files, symbolic and hard links, in path order; always
/// the same. Files have `size` bytes.
std::vector<LayerEntry> root_entries(std::size_t count, std::size_t size);

/// Such entries as a tar archive.
std::string archive_of(const LayerEntries& entries, const std::string& content);

} // namespace cairn::bench
