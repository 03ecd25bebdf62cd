#pragma once

#include "creds/cloud/cloud.hpp"
#include "creds/docker/config_places.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace cairn {

enum class VaultLogin { token, kubernetes, jwt };

/// How HashiCorp's Vault (or OpenBao) is reached and opened.
struct VaultAccess {
  std::string address = {};    ///< VAULT_ADDR: "https://vault.example.com:8200".
  std::string name_space = {}; ///< VAULT_NAMESPACE; may be empty.
  VaultLogin login = VaultLogin::token;
  std::string secret = {};     ///< The token, or the JSON Web Token to log in with.
  std::string role = {};       ///< For both logins.
  std::string login_path = {}; ///< Where the method is mounted; empty: "kubernetes" or "jwt".
  std::shared_ptr<const TlsOptions> tls = nullptr;
};

enum class VaultEngine { kv1, kv2 };

/// A secret of the key-value engine.
struct VaultSecret {
  std::string registry; ///< Where its user and password count; may be empty.
  std::string mount;    ///< "secret"
  std::string path;     ///< "ci/registry"
  VaultEngine engine = VaultEngine::kv2;

  /// "[REGISTRY=]PATH". @throws Error
  static VaultSecret parse(std::string_view text, std::string mount, VaultEngine engine);
};

/// A session. It logs in at the first read.
class Vault {
public:
  /// `http` is borrowed.
  Vault(Http& http, VaultAccess access) : http_(http), access_(std::move(access)) {}

  /// What the secret holds: under ".dockerconfigjson" (or "config.json", ".dockercfg") a
  /// configuration, or "username" and "password", with "registry" or "server".
  /// @throws Error when it cannot be had, or holds none of these
  MountedCredentials read(const VaultSecret& secret);

private:
  Request request(const std::string& path) const;
  void log_in();

  Http& http_;
  VaultAccess access_;
  std::string token_;
};

} // namespace cairn
