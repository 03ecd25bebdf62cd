#pragma once

#include "context/git/git_credentials.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace cairn {

/// How repositories over ssh are reached.
struct SshAccess {
  std::string agent;       ///< The path of an agent's socket; empty: there is none.
  std::string known_hosts; ///< Lines of sshd(8)'s file: who a server must be.
  /// Whether a server that is not among them is taken for what it says, with a warning.
  enum class UnknownHosts { accept, refuse } unknown_hosts = UnknownHosts::accept;
};

/// What fetching repositories takes; all but the values is borrowed.
struct GitServices {
  Http& http;
  Progress& progress;
  const std::atomic<bool>& cancel; ///< The program was told to end.
  GitCredentials credentials;
  std::shared_ptr<const TlsOptions> tls; ///< None: the defaults.
  SshAccess ssh;
  std::string temporary; ///< Where checkouts go: an existing directory.
  std::string cache;     ///< Where fetched objects are kept; empty: nowhere.
  Clock clock = system_now;
  RetryPolicy retry = {};
  const std::atomic<bool>* stop = nullptr; ///< Nobody waits for it any more; may be none.

  bool is_cancelled() const noexcept { return cancel || (stop != nullptr && *stop); }
};

} // namespace cairn
