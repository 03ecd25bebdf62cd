#pragma once

#include "net/http.hpp"

#include <optional>

namespace cairn {

/// A redirect would leave https, which was not allowed.
class PlaintextRedirect : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw PlaintextRedirect(*this); }
};

/// The request that a 3xx answer asks for; nothing when `response` is no redirect. The
/// Authorization header stays with its origin, 303 becomes GET, a body is sent again after 307 and
/// 308 alone. @throws PlaintextRedirect when https would become http and `request` refuses that
std::optional<Request> redirected(const Request& request, const Response& response);

inline constexpr int max_redirects = 10;

} // namespace cairn
