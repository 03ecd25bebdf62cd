#pragma once

#include "net/url.hpp"

#include <string>

namespace cairn {

/// HTTP_PROXY, HTTPS_PROXY and NO_PROXY, either case; the caller reads them.
struct ProxyOptions {
  std::string http;
  std::string https;
  std::string none; ///< Comma separated: host, .domain, host:port, address, CIDR block or "*".
};

/// The proxy for `url`, empty when it is reached directly. As Go does: a domain covers its
/// subdomains, "localhost" and loopback addresses are never proxied.
std::string proxy_for(const ProxyOptions& options, const Url& url);

} // namespace cairn
