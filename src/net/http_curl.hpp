#pragma once

#include "net/http.hpp"
#include "net/proxy.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace cairn {

struct HttpOptions {
  std::string user_agent = {}; ///< Empty: "cairn/<version>".
  std::string ca_pool = {};    ///< PEM text (net/ca_pool.hpp). Empty: what libcurl was built with.
  ProxyOptions proxy = {};
  std::chrono::seconds connect_timeout{20};
  /// A transfer that moves no byte for this long is given up. There is no limit on its whole time.
  std::chrono::seconds stall_timeout{60};
  /// The same between the last byte of a streamed body and the answer: registries then move the
  /// blob to its place.
  std::chrono::seconds commit_timeout{600};
  /// Ends every transfer when it becomes true; borrowed. May be set from a signal handler.
  const std::atomic<bool>* cancel = nullptr;
};

/// HTTP/1.1 over libcurl. Connections are kept and used again.
std::unique_ptr<Http> make_http(HttpOptions options);

} // namespace cairn
