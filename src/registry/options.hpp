#pragma once

#include "net/http.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Which of kaniko's two sets of flags counts.
enum class Direction { pull, push };

struct ClientCertificate {
  std::string certificate; ///< PEM
  std::string key;         ///< PEM
};

/// How registries are reached. Registries are named "host[:port]" as image references name them.
struct RegistryOptions {
  bool insecure_push = false; ///< --insecure
  bool insecure_pull = false; ///< --insecure-pull
  bool skip_tls_verify_push = false;
  bool skip_tls_verify_pull = false;
  std::set<std::string, std::less<>> insecure_registries;
  std::set<std::string, std::less<>> skip_tls_verify_registries;
  std::map<std::string, std::string, std::less<>> certificates; ///< PEM text of authorities.
  std::map<std::string, ClientCertificate, std::less<>> client_certificates;

  /// --registry-certificate "host=/ca.pem": reads the file. @throws Error
  void add_certificate(std::string_view flag);
  /// --registry-client-cert "host=/cert.pem,/key.pem". @throws Error
  void add_client_certificate(std::string_view flag);

  /// The schemes to try in order: https alone, or both where http was asked for and on this
  /// machine.
  std::vector<std::string> schemes(std::string_view registry, Direction direction) const;
  std::shared_ptr<const TlsOptions> tls(std::string_view registry, Direction direction) const;
};

/// This machine: localhost, *.localhost, 127.0.0.0/8 and [::1], with any port.
bool is_loopback_registry(std::string_view registry);

/// *.local and the blocks of RFC 1918, where some clients speak plain HTTP unasked.
bool is_private_registry(std::string_view registry);

} // namespace cairn
