#pragma once

#include "creds/credential.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// How credential helpers are started.
struct HelperEnvironment {
  std::string path = "/usr/local/bin:/usr/bin:/bin"; ///< Where they are looked for.
  std::vector<std::string> environment;              ///< "NAME=value"
};

/// Asks `docker-credential-<name> get` (docker-credential-helpers protocol). Nothing when it knows
/// no credential for `server`. @throws Error naming the helper, with what it said
std::optional<Credential> ask_helper(const std::string& name, const std::string& server,
                                     const HelperEnvironment& environment);

} // namespace cairn
