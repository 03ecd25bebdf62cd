#pragma once

#include "creds/docker/credential.hpp"

#include <map>
#include <optional>
#include <string>

namespace cairn {

/// What clients gave docker-credential-cairn to keep: a file beside config.json, which clients
/// write themselves. Without a folder there is nothing, and nothing can be kept.
class StoredLogins {
public:
  explicit StoredLogins(std::string folder) : folder_(std::move(folder)) {}

  /// That of `server`, however it is spelled. @throws Error
  std::optional<Credential> find(const std::string& server) const;
  void put(const std::string& server, const Credential& credential) const;
  /// Quiet when there is none.
  void erase(const std::string& server) const;
  /// Servers as they were given, and their users.
  std::map<std::string, std::string> list() const;

private:
  std::string folder_;
};

} // namespace cairn
