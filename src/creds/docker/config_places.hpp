#pragma once

#include "creds/docker/docker_config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// A configuration in a file; nothing when it does not exist. An empty file is an empty
/// configuration. @throws Error
std::optional<DockerConfig> load_docker_config(const std::string& path);

/// What a mounted Secret, a volume or a folder of Docker's holds: the files .dockercfg,
/// .dockerconfigjson and config.json, in that order, each in its own form; and the files username
/// and password, with registry (or server) naming where they count.
struct MountedCredentials {
  std::vector<DockerConfig> configs;
  std::optional<Credential> login; ///< Without `key` when no file says where it counts.

  bool empty() const noexcept { return configs.empty() && !login; }
};

/// Nothing when there is no such directory. @throws Error
std::optional<MountedCredentials> load_mounted_credentials(const std::string& directory);

} // namespace cairn
