#include "apps/shared/credentials.hpp"

#include "apps/shared/http_settings.hpp"
#include "creds/cloud/acr.hpp"
#include "creds/cloud/cloud_keychain.hpp"
#include "creds/cloud/ecr.hpp"
#include "creds/cloud/gcr.hpp"
#include "creds/cloud/gitlab.hpp"
#include "creds/docker/keychain.hpp"
#include "net/retry.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cairn {

namespace {

constexpr std::array<std::pair<std::string_view, CredentialHelper>, 5> helper_names = {{
    {"env", CredentialHelper::env},
    {"google", CredentialHelper::google},
    {"ecr", CredentialHelper::ecr},
    {"acr", CredentialHelper::acr},
    {"gitlab", CredentialHelper::gitlab},
}};

/// The clouds' own names for their docker-credential-* programs.
constexpr std::array<std::pair<const char*, CredentialHelper>, 4> own_helper_names = {{
    {"ecr-login", CredentialHelper::ecr},
    {"gcr", CredentialHelper::google},
    {"gcloud", CredentialHelper::google},
    {"acr-env", CredentialHelper::acr},
}};

bool holds(const std::vector<CredentialHelper>& helpers, CredentialHelper wanted) {
  return std::find(helpers.begin(), helpers.end(), wanted) != helpers.end();
}

} // namespace

std::vector<CredentialHelper> all_credential_helpers() {
  std::vector<CredentialHelper> all;
  all.reserve(helper_names.size());
  for (const auto& [name, helper] : helper_names)
    all.push_back(helper);
  return all;
}

CredentialHelper parse_credential_helper(std::string_view word) {
  for (const auto& [name, helper] : helper_names)
    if (word == name)
      return helper;
  throw Error("'{}' is none of env, google, ecr, acr, gitlab", word);
}

std::string docker_folder(const Variables& environment) {
  auto folder = environment.text("DOCKER_CONFIG");
  if (folder.empty() && !environment.text("HOME").empty())
    folder = environment.text("HOME") + "/.docker";
  while (folder.size() > 1 && folder.ends_with('/'))
    folder.pop_back();
  return folder;
}

HelperEnvironment helper_environment(const Variables& environment) {
  HelperEnvironment helpers;
  if (const auto path = environment.text("PATH"); !path.empty())
    helpers.path = path;
  helpers.environment = environment.entries();
  return helpers;
}

CloudAccess::CloudAccess(Http& http, const Variables& environment, const std::atomic<bool>& cancel)
    : metadata_(make_http(metadata_http_options(cancel))), services_{http, *metadata_,
                                                                     environment} {}

CloudMinters CloudAccess::providers(const std::vector<CredentialHelper>& helpers) const {
  CloudMinters providers;
  if (holds(helpers, CredentialHelper::google))
    providers.push_back(make_google_token_provider(services_));
  if (holds(helpers, CredentialHelper::ecr))
    providers.push_back(make_ecr_token_provider(services_));
  if (holds(helpers, CredentialHelper::acr))
    providers.push_back(make_acr_token_provider(services_));
  return providers;
}

CredentialPlaces credential_places(const Variables& environment) {
  CredentialPlaces places;
  places.auth_config_text = environment.text("DOCKER_AUTH_CONFIG");
  places.docker_config = environment.text("DOCKER_CONFIG");
  places.home = environment.text("HOME");
  places.registry_auth_file = environment.text("REGISTRY_AUTH_FILE");
  places.xdg_runtime_dir = environment.text("XDG_RUNTIME_DIR");
  return places;
}

namespace {

std::unique_ptr<Keychain> cloud_keychain(const std::vector<CredentialHelper>& helpers,
                                         const KeychainServices& services) {
  auto providers = services.clouds.providers(helpers);
  if (providers.empty())
    return nullptr;
  Retry retry({.attempts = 3}, make_pause(&services.cancel), make_random(), system_now,
              services.progress);
  return make_cloud_keychain(std::move(providers), std::move(retry), system_now, services.progress);
}

/// What docker-credential-NAME is to be asked for, under all names that this program has.
OwnHelpers own_helpers(const KeychainServices& services) {
  OwnHelpers own;
  for (const auto& [name, helper] : own_helper_names)
    own.emplace(name, cloud_keychain({helper}, services));
  return own;
}

} // namespace

std::unique_ptr<Keychain> make_program_keychain(const std::vector<CredentialHelper>& helpers,
                                                const KeychainServices& services) {
  const auto& environment = services.environment;
  auto programs = helper_environment(environment);
  programs.cancel = &services.cancel;
  std::vector<std::unique_ptr<Keychain>> chain;
  chain.push_back(make_docker_keychain(load_docker_configs(credential_places(environment)),
                                       std::move(programs), services.progress,
                                       own_helpers(services)));
  if (holds(helpers, CredentialHelper::env))
    chain.push_back(make_env_keychain(environment.entries()));
  if (auto clouds = cloud_keychain(helpers, services))
    chain.push_back(std::move(clouds));
  if (holds(helpers, CredentialHelper::gitlab))
    chain.push_back(make_gitlab_keychain(environment));
  return make_keychain_chain(std::move(chain));
}

} // namespace cairn
