#pragma once

#include "creds/docker/credential.hpp"
#include "creds/docker/held_program.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// How credential helpers are started.
struct HelperEnvironment {
  std::string path = "/usr/local/bin:/usr/bin:/bin"; ///< Where they are looked for.
  std::vector<std::string> environment;              ///< "NAME=value"
  const std::atomic<bool>* cancel = nullptr;         ///< Ends them; borrowed.
  std::chrono::seconds time_limit{60};               ///< For one answer.
  /// Programs as they were found at the start, by the names of helpers; null for those that were
  /// not. Others are looked for when they are asked.
  std::map<std::string, std::shared_ptr<const HeldProgram>> programs = {};

  /// Finds the programs of `names` now: a base image that is unpacked in place may bring some of
  /// its own, and a command change them, which would be shown this program's environment.
  void pin(const std::vector<std::string>& names);
  /// False when the helper is one that was found and has been changed since.
  bool is_unchanged(const std::string& name) const;
};

/// Asks `docker-credential-<name> get` (docker-credential-helpers protocol). Nothing when it knows
/// no credential for `server`. @throws Error naming the helper, with what it said
std::optional<Credential> ask_helper(const std::string& name, const std::string& server,
                                     const HelperEnvironment& environment);

/// Gives `login` to `docker-credential-<name> store`, filed under login.key. @throws Error
void store_in_helper(const std::string& name, const Credential& login,
                     const HelperEnvironment& environment);

} // namespace cairn
