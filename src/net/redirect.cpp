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
  auto next = request;
  next.url = to.str();
  if (to.origin() != from.origin())
    next.authorization.clear();
  if (response.status == 303 && request.method != "HEAD") {
    next.method = "GET";
    next.body = {};
    next.headers.erase("content-type");
  }
  return next;
}

} // namespace cairn
