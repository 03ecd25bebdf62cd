#pragma once

#include "creds/cloud/cloud.hpp"
#include "creds/docker/credential.hpp"
#include "creds/docker/docker_config.hpp"
#include "creds/docker/helper.hpp"
#include "util/progress.hpp"
#include "util/variables.hpp"

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

namespace cairn {

/// What is asked for credentials besides config.json and the helpers it names, in this order.
enum class CredentialHelper { env, google, ecr, acr, gitlab };

/// All of them.
std::vector<CredentialHelper> all_credential_helpers();
/// @throws Error listing the known words
CredentialHelper parse_credential_helper(std::string_view word);

/// The clouds among `helpers`, and the way to their metadata services.
class CloudAccess {
public:
  /// `http`, `environment` and `cancel` are borrowed.
  CloudAccess(Http& http, const Variables& environment, const std::atomic<bool>& cancel);

  CloudMinters providers(const std::vector<CredentialHelper>& helpers) const;

private:
  std::unique_ptr<Http> metadata_;
  CloudServices services_;
};

/// Where the environment says that Docker's configurations are.
CredentialPlaces credential_places(const Variables& environment);

/// Docker's folder: DOCKER_CONFIG, or .docker in HOME; "" when neither is set.
std::string docker_folder(const Variables& environment);

/// How the programs of credential helpers are started.
HelperEnvironment helper_environment(const Variables& environment);

/// What the keychain of a program is made from; all borrowed.
struct KeychainServices {
  const CloudAccess& clouds;
  const Variables& environment;
  Progress& progress;
  const std::atomic<bool>& cancel;
};

/// config.json first, then `helpers` in their order. @throws Error when a file cannot be read
std::unique_ptr<Keychain> make_program_keychain(const std::vector<CredentialHelper>& helpers,
                                                const KeychainServices& services);

} // namespace cairn
