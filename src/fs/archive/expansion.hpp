#pragma once

#include "util/error.hpp"
#include "util/stream.hpp"

#include <atomic>
#include <cstdint>
#include <optional>

namespace cairn {

/// How much larger than itself an archive may be once it is unpacked: a few bytes can stand for any
/// number of them.
struct ExpansionLimit {
  /// What it may hold beyond a hundred times its own bytes. Nothing: as much as it likes, for what
  /// this build or one like it has made.
  std::optional<std::uint64_t> slack = std::uint64_t{16} << 30;

  bool operator==(const ExpansionLimit&) const = default;
};

/// An archive would become larger than its limit allows.
class ExpansionExceeded final : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw ExpansionExceeded(*this); }
};

inline constexpr ExpansionLimit unlimited_expansion{std::nullopt};

/// Holds what an archive is unpacked to against what was read of it. Thread-safe.
class ExpansionGauge {
public:
  explicit ExpansionGauge(ExpansionLimit limit) : limit_(limit) {}

  void note_read(std::uint64_t bytes) noexcept { read_ += bytes; }
  /// @throws ExpansionExceeded when `size` bytes are too many for what was read
  void check(std::uint64_t size) const;

private:
  ExpansionLimit limit_;
  std::atomic<std::uint64_t> read_ = 0;
};

/// The bytes of an archive as it comes, counted.
class MeasuredSource final : public Source {
public:
  MeasuredSource(Source& from, ExpansionGauge& expansion) : from_(from), expansion_(expansion) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = from_.read(buffer);
    expansion_.note_read(count);
    return count;
  }

private:
  Source& from_;
  ExpansionGauge& expansion_;
};

/// The bytes that one archive or file is decompressed to, held against what was read.
class ExpandedSource final : public Source {
public:
  ExpandedSource(Source& from, const ExpansionGauge& expansion)
      : from_(from), expansion_(expansion) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = from_.read(buffer);
    expansion_.check(size_ += count);
    return count;
  }

private:
  Source& from_;
  const ExpansionGauge& expansion_;
  std::uint64_t size_ = 0;
};

} // namespace cairn
