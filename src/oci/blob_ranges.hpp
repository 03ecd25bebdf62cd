#pragma once

#include "util/stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace cairn {

/// Some bytes of a blob in a row.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  std::uint64_t end() const noexcept { return offset + size; }
  bool operator==(const ByteRange&) const = default;
};

/// Opens a part of one blob. Its Source gives exactly these bytes or throws; whether they are the
/// right ones nobody has looked at. Thread-safe.
using RangeOpener = std::function<std::unique_ptr<Source>(ByteRange)>;

} // namespace cairn
