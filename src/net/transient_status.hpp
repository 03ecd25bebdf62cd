#pragma once

#include "net/http.hpp"
#include "util/error.hpp"

#include <string>

namespace cairn {

/// 408, 429, 500, 502, 503 and 504.
bool is_transient(int status) noexcept;

/// An answer that may be another one later.
class TransientStatus : public TemporaryError {
public:
  /// "registry.example: GET https://…: 503 Service Unavailable: …"
  TransientStatus(const Request& request, const Response& response);

  int status() const noexcept { return status_; }
  [[noreturn]] void raise() const override { throw TransientStatus(*this); }
  const std::string& retry_after() const noexcept { return retry_after_; } ///< As sent; may be "".

private:
  int status_;
  std::string retry_after_;
};

/// @throws TransientStatus when a retry could help, Error otherwise
void require_success(const Request& request, const Response& response);

} // namespace cairn
