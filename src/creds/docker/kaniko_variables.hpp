#pragma once

#include "creds/docker/credential.hpp"
#include "util/variables.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Credentials in KANIKO_<HOST>_USER and KANIKO_<HOST>_PASSWORD, as kaniko's "env" helper has them:
/// the host in upper case, "." and "-" as "_"; a port cannot be said.

/// What stands for a host in the name of a variable.
std::string kaniko_variable(std::string_view host);

/// For one registry: its own variables, or those of a domain above it.
std::optional<Credential> kaniko_credential(const Variables& environment,
                                            std::string_view registry);

/// A credential for a configuration file, where registries have their own names.
struct KanikoCredential {
  Credential credential;
  bool is_guess = false; ///< Nothing said which registry the variables mean.
};

/// All of them. `wanted` are registries whose credentials are looked for as a build would; `known`
/// are others that have their names from elsewhere, and whose own variables alone count. What is
/// left is a guess: every "_" is taken for a ".".
std::vector<KanikoCredential> kaniko_credentials(const Variables& environment,
                                                 const std::vector<std::string>& wanted,
                                                 const std::vector<std::string>& known);

} // namespace cairn
