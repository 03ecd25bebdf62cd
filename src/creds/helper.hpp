#pragma once

#include "creds/credential.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// How credential helpers are started.
struct HelperEnvironment {
  std::string path = "/usr/local/bin:/usr/bin:/bin"; ///< Where they are looked for.
  std::vector<std::string> environment;              ///< "NAME=value"
  /// Where programs were found at the start, by the names of helpers; "" for those that were not.
  /// Others are looked for when they are asked.
  std::map<std::string, std::string> programs = {};

  /// Finds the programs of `names` now: a base image that is unpacked in place may bring some of
  /// its own, which would be shown this program's environment.
  void pin(const std::vector<std::string>& names);
};

/// Asks `docker-credential-<name> get` (docker-credential-helpers protocol). Nothing when it knows
/// no credential for `server`. @throws Error naming the helper, with what it said
std::optional<Credential> ask_helper(const std::string& name, const std::string& server,
                                     const HelperEnvironment& environment);

/// Gives `login` to `docker-credential-<name> store`, filed under login.key. @throws Error
void store_in_helper(const std::string& name, const Credential& login,
                     const HelperEnvironment& environment);

} // namespace cairn
