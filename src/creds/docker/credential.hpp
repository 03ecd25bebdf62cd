#pragma once

#include "oci/reference.hpp"

#include <optional>
#include <string>

namespace cairn {

/// What opens a registry. Its secrets are for the wire alone; describe() is what messages show.
struct Credential {
  std::string username;
  std::string password;
  std::string identity_token; ///< An OAuth 2 refresh token; goes to the token server.
  std::string registry_token; ///< A bearer token that is sent as it is.
  std::string key;            ///< The entry it was found under: "ghcr.io/acme".
  std::string source;         ///< "/kaniko/.docker/config.json", "docker-credential-gcr".

  bool has_secret() const noexcept {
    return !password.empty() || !identity_token.empty() || !registry_token.empty();
  }

  /// 'credential "ghcr.io/acme" of /kaniko/.docker/config.json'
  std::string describe() const;
};

/// Finds the credential for an image. Implementations are thread-safe.
class Keychain {
public:
  virtual ~Keychain() = default;
  /// Nothing: anonymous. @throws Error when an entry exists that cannot be used
  virtual std::optional<Credential> find(const ImageRef& ref) = 0;
  /// Where it looks, for error messages: "/kaniko/.docker/config.json, docker-credential-gcr".
  virtual std::string places() const = 0;
};

} // namespace cairn
