#pragma once

#include "net/http.hpp"
#include "net/pace.hpp"
#include "net/proxy.hpp"
#include "util/progress.hpp"

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
  /// There is no limit on the whole time of a transfer.
  PaceLimits pace = {};
  /// Told about transfers that are slow; borrowed, may be null.
  Progress* progress = nullptr;
  /// Ends every transfer when it becomes true; borrowed. May be set from a signal handler.
  const std::atomic<bool>* cancel = nullptr;
};

/// HTTP/1.1 over libcurl. Connections are kept and used again.
std::unique_ptr<Http> make_http(HttpOptions options);

} // namespace cairn
