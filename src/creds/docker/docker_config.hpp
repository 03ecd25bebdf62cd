#pragma once

#include "creds/docker/credential.hpp"
#include "util/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Bytes of the largest file that is read as one.
inline constexpr std::uint64_t max_config = std::uint64_t{1} << 20;

/// Docker's config.json, or the auth.json of containers-auth.json(5), which has the same shape.
class DockerConfig {
public:
  DockerConfig() : document_(Json::object()) {}
  /// `source` names the text in messages. A bare map of registries (the old .dockercfg) is taken
  /// as "auths". @throws Error
  static DockerConfig parse(std::string_view text, std::string source);

  const std::string& source() const noexcept { return source_; }
  /// Everything that was read, unknown members included.
  const Json& document() const noexcept { return document_; }

  /// The entry of "auths" for `ref`: that of the longest path "host/a/b" down to "host", where all
  /// names of Docker Hub are one, and a scheme, "/v1/", "/v2/" and ":443" do not count. Entries
  /// without a secret are skipped. @throws Error naming the key when its "auth" is not valid
  std::optional<Credential> find(const ImageRef& ref) const;

  /// The credential helper for `ref`: "credHelpers" by the same rules, then "credsStore".
  std::optional<std::string> helper(const ImageRef& ref) const;

  /// The names of all helpers.
  std::vector<std::string> helpers() const;

private:
  std::string source_;
  Json document_;
};

/// One entry of "auths". @throws Error naming source and key when its "auth" is not valid
Credential parse_auth_entry(const std::string& key, const Json& entry, const std::string& source);

/// The keys under which a credential for `ref` may be filed, most specific first:
/// "ghcr.io/acme/app", "ghcr.io/acme", "ghcr.io". Docker Hub's names come one after another.
std::vector<std::string> credential_keys(const ImageRef& ref);

/// A key of a file in the form of credential_keys(): "https://Index.docker.io/v1/" ->
/// "index.docker.io".
std::string normalise_credential_key(std::string_view key);

/// A key as files are written with it: "https://GHCR.io/v2/" -> "ghcr.io", any name of Docker Hub
/// -> "https://index.docker.io/v1/". Ports stay, ":443" too: some clients look for it.
std::string written_credential_key(std::string_view key);

/// What credential helpers and `login` call the registry of `ref`: its host, or
/// "https://index.docker.io/v1/" for Docker Hub.
std::string helper_server(const ImageRef& ref);

/// Where configurations are, as the environment says; empty members are not set.
struct CredentialPlaces {
  std::string auth_config_text;   ///< DOCKER_AUTH_CONFIG
  std::string docker_config;      ///< DOCKER_CONFIG, a directory.
  std::string home;               ///< HOME
  std::string registry_auth_file; ///< REGISTRY_AUTH_FILE
  std::string xdg_runtime_dir;    ///< XDG_RUNTIME_DIR
};

/// The configurations in the order they are asked: the text of DOCKER_AUTH_CONFIG, then the first
/// file that exists of $DOCKER_CONFIG/config.json (without DOCKER_CONFIG: $HOME/.docker),
/// REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json. A directory may hold
/// ".dockerconfigjson" instead, as Kubernetes names it. No file: anonymous.
/// @throws Error when one cannot be read or parsed
std::vector<DockerConfig> load_docker_configs(const CredentialPlaces& places);

} // namespace cairn
