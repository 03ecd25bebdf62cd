#pragma once

#include "creds/docker/config_store.hpp"
#include "creds/docker/credential.hpp"
#include "creds/docker/helper.hpp"
#include "oci/reference.hpp"
#include "util/progress.hpp"

namespace cairn {

/// User and password for a registry.
struct Login {
  ImageRef registry; ///< Any image of it.
  std::string username;
  std::string password;
};

/// Keeps a login as `docker login` does: with the helper that config.json in `folder` names for the
/// registry, else in config.json itself, where all else stays as it is. @throws Error
void save_login(const Login& login, const ConfigFolder& folder, const HelperEnvironment& helpers,
                Progress& progress);

} // namespace cairn
