#pragma once

#include "creds/docker/credential.hpp"
#include "creds/docker/docker_config.hpp"
#include "creds/docker/helper.hpp"
#include "util/progress.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// Helpers that need no program, by their names.
using OwnHelpers = std::map<std::string, std::shared_ptr<Keychain>>;

/// Docker's files and the helpers they name: for each file a helper if one is configured, then
/// "auths". A helper that fails is a warning, and the next place is asked. Helpers are asked once
/// in ten minutes per server, and are the programs that were there when this was called: one that
/// has been changed since is not asked again, and what it said before still counts. One of `own` is
/// asked where there is no program of its name, or that is this one.
std::unique_ptr<Keychain> make_docker_keychain(std::vector<DockerConfig> configs,
                                               HelperEnvironment environment, Progress& progress,
                                               OwnHelpers own = {});

/// KANIKO_<HOST>_USER and _PASSWORD: the host in upper case, "." and "-" as "_", then with leading
/// labels dropped one by one (kaniko's "env" helper). Takes the whole environment, "NAME=value".
std::unique_ptr<Keychain> make_env_keychain(const std::vector<std::string>& environment);

/// The first of `keychains` that has a credential.
std::unique_ptr<Keychain> make_keychain_chain(std::vector<std::unique_ptr<Keychain>> keychains);

/// Knows nothing.
class AnonymousKeychain final : public Keychain {
public:
  std::optional<Credential> find(const ImageRef&) override { return std::nullopt; }
  std::string places() const override { return {}; }
};

} // namespace cairn
