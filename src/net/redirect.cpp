#include "net/redirect.hpp"

#include "net/redact.hpp"
#include "net/url.hpp"

namespace cairn {

namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

} // namespace

std::optional<Request> redirected(const Request& request, const Response& response) {
  const auto* location = response.headers.find("location");
  if (!is_redirect(response.status) || location == nullptr)
    return std::nullopt;
  const auto from = Url::parse(request.url);
  const auto to =
      within([&] { return from.resolve(*location); }, "{}: redirect", describe(request));
  if (from.scheme == "https" && to.scheme == "http" && request.plaintext == Plaintext::refuse)
    throw PlaintextRedirect("{}: redirect to {}: refused, it leaves TLS", describe(request),
                            redact_url(to.str()));
  const bool is_elsewhere = to.origin() != from.origin();
  const bool becomes_get = response.status == 303 && request.method != "HEAD";
  const bool has_body = !std::holds_alternative<std::monostate>(request.body) && !becomes_get;
  if (is_elsewhere && (has_body || request.redirects == Redirects::same_origin))
    throw ForeignRedirect("{}: redirect to {}: refused, {} would go to another server",
                          describe(request), redact_url(to.str()),
                          has_body ? "what is sent" : "a secret");
  auto next = request;
  next.url = to.str();
  next.led_from = led_from(request, response);
  if (is_elsewhere) {
    next.authorization.clear();
    next.tls = request.tls_elsewhere ? request.tls_elsewhere(to.authority()) : nullptr;
  }
  if (becomes_get) {
    next.method = "GET";
    next.body = {};
    next.headers.erase("content-type");
  }
  return next;
}

AddressScope led_from(const Request& request, const Response& response) {
  const bool is_one_place = !request.led_from || *request.led_from == response.peer;
  return is_one_place ? response.peer : AddressScope::global;
}

} // namespace cairn
