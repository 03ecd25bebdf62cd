#pragma once

#include "context/git/git_address.hpp"
#include "context/git/git_credentials.hpp"
#include "context/git/git_wire.hpp"
#include "net/http.hpp"

#include <atomic>
#include <memory>
#include <optional>

namespace cairn {

struct GitHttpOptions {
  GitAuthorization authorization;
  std::shared_ptr<const TlsOptions> tls = nullptr;
  const std::atomic<bool>* stop = nullptr; ///< Ends requests, besides the client's own flag.
  /// Where the repository is that named this one, which the user did not (Request::led_from).
  std::optional<AddressScope> led_from = std::nullopt;
};

/// Git's smart protocol over HTTP. `http` is borrowed. Errors name what was asked, what the server
/// said, and which credential it refused or would take.
std::unique_ptr<GitWire> make_http_wire(Http& http, const GitAddress& address,
                                        const GitHttpOptions& options);

} // namespace cairn
