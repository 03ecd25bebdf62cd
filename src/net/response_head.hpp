#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <string_view>

namespace cairn {

/// The head of an answer as it comes in, line by line. Interim answers ("100 Continue") and
/// trailers count towards its limits.
class ResponseHead {
public:
  enum class Line { interim_status, status, field };

  /// @throws Error without a place, when there are too many or too large ones
  Line take(std::string_view line);

  /// Those of the last status.
  const Headers& headers() const noexcept { return headers_; }
  std::uint64_t bytes() const noexcept { return bytes_; } ///< In all.

private:
  Headers headers_;
  std::uint64_t bytes_ = 0;
};

} // namespace cairn
