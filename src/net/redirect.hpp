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

/// A redirect would carry a body, or secrets, to another origin.
class ForeignRedirect : public Error {
public:
  using Error::Error;
};

/// The request that a 3xx answer asks for; nothing when `response` is no redirect. The
/// Authorization header, the client's certificate and whatever else is for one server stay with
/// their origin; 303 becomes GET. @throws PlaintextRedirect; ForeignRedirect
std::optional<Request> redirected(const Request& request, const Response& response);

/// What a request to a URL that `response` names is led from (Request::led_from).
AddressScope led_from(const Request& request, const Response& response);

inline constexpr int max_redirects = 10;

} // namespace cairn
