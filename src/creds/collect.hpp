#pragma once

#include "creds/cloud/cloud.hpp"
#include "creds/cloud/vault.hpp"
#include "creds/docker/config_merge.hpp"
#include "util/progress.hpp"

#include <string>
#include <vector>

namespace cairn {

/// Whether what lies around counts: Docker's folders, Tekton's, the environment.
enum class FoundSources { use, ignore };

/// Where credentials are collected from. Later members count more, as do later elements.
struct CredentialSources {
  std::string target; ///< The folder that will be written to: what is there already.
  FoundSources found = FoundSources::use;
  std::string tekton = "/tekton";       ///< Where Tekton puts its own.
  std::vector<std::string> registries;  ///< Those for which KANIKO_<HOST>_USER is looked up.
  std::vector<std::string> directories; ///< Mounted secrets and volumes; empty names are skipped.
  std::vector<VaultSecret> vault;
  VaultAccess vault_access;
  std::vector<std::string> helped; ///< Registries left to docker-credential-cairn.
  std::vector<std::string> minted; ///< Registries whose clouds are asked for a password now.
  std::vector<Credential> logins;  ///< Said on the command line.
};

/// What collecting works with; all borrowed.
struct CollectServices {
  Http& http;
  const CloudMinters& providers;
  const Variables& environment;
  Progress& progress;
};

/// Adds everything to `merge`, least important first (docs/credentials.md, Precedence).
/// @throws Error naming the source that cannot be used
void collect_credentials(ConfigMerge& merge, const CredentialSources& sources,
                         const CollectServices& services);

} // namespace cairn
