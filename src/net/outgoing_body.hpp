#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cairn {

/// A streamed body on its way out: what was read of it is counted, and held against its size.
class OutgoingBody {
public:
  explicit OutgoingBody(const StreamBody& body) : source_(body.open()), size_(body.size) {}

  /// @throws Error without a place, when the body has more or fewer bytes than was announced
  std::size_t read(std::span<std::byte> buffer);

  std::uint64_t sent() const noexcept { return sent_; }
  /// Whether all of it was read.
  bool has_ended() const noexcept { return ended_; }
  /// "after 5 of 10 bytes"
  std::string progress() const;

private:
  std::unique_ptr<Source> source_;
  std::optional<std::uint64_t> size_;
  std::uint64_t sent_ = 0;
  bool ended_ = false;
};

} // namespace cairn
