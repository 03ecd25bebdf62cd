#include "apps/executor/network.hpp"

#include "creds/docker_config.hpp"
#include "creds/helper.hpp"
#include "creds/keychain.hpp"
#include "net/ca_pool.hpp"
#include "net/http_curl.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"

#include <algorithm>

namespace cairn {

namespace {

HttpOptions http_options(const ProcessEnvironment& environment, const std::atomic<bool>& cancel) {
  HttpOptions options;
  if (const auto client = environment.text("UPSTREAM_CLIENT_TYPE"); !client.empty())
    options.user_agent = "cairn/" CAIRN_VERSION "," + client;
  options.ca_pool =
      load_ca_pool({environment.text("SSL_CERT_FILE"), environment.text("SSL_CERT_DIR")});
  // A CGI server's HTTP_PROXY would be a request header, but nobody runs a build as CGI.
  options.proxy = {environment.either("HTTP_PROXY", "http_proxy"),
                   environment.either("HTTPS_PROXY", "https_proxy"),
                   environment.either("NO_PROXY", "no_proxy")};
  options.cancel = &cancel;
  return options;
}

std::unique_ptr<Keychain> make_keychain(const RegistryUse& use,
                                        const ProcessEnvironment& environment, Progress& progress) {
  CredentialPlaces places;
  places.auth_config_text = environment.text("DOCKER_AUTH_CONFIG");
  places.docker_config = environment.text("DOCKER_CONFIG");
  places.home = environment.text("HOME");
  places.registry_auth_file = environment.text("REGISTRY_AUTH_FILE");
  places.xdg_runtime_dir = environment.text("XDG_RUNTIME_DIR");
  HelperEnvironment helpers;
  if (const auto path = environment.text("PATH"); !path.empty())
    helpers.path = path;
  helpers.environment = environment.entries();

  std::vector<std::unique_ptr<Keychain>> chain;
  chain.push_back(make_docker_keychain(load_docker_configs(places), std::move(helpers), progress));
  if (use.environment_credentials == EnvironmentCredentials::use)
    chain.push_back(make_env_keychain(environment.entries()));
  return make_keychain_chain(std::move(chain));
}

RetryPolicy retry_policy(unsigned extra_attempts) {
  RetryPolicy policy;
  policy.attempts += extra_attempts;
  return policy;
}

RegistryServices registry_services(Http& http, Keychain& keychain, Progress& progress,
                                   const RetryPolicy& retry, const std::atomic<bool>& cancel) {
  RegistryServices services{http, keychain, progress};
  services.retry = retry;
  services.cancel = &cancel;
  return services;
}

} // namespace

Network::Network(const RegistryUse& use, const ProcessEnvironment& environment, Progress& progress,
                 const std::atomic<bool>& cancel)
    : http_(make_http(http_options(environment, cancel))),
      keychain_(make_keychain(use, environment, progress)),
      retry_(retry_policy(use.extra_attempts)),
      registry_(registry_services(*http_, *keychain_, progress, retry_, cancel), use.options) {}

void check_destinations(RegistryClient& registry, const std::vector<ImageRef>& destinations) {
  std::vector<ImageRef> repositories;
  for (const auto& destination : destinations)
    if (std::none_of(repositories.begin(), repositories.end(),
                     [&](const ImageRef& known) { return known.name() == destination.name(); }))
      repositories.push_back(destination);
  try {
    parallel_for(repositories.size(), repositories.size(),
                 [&](std::size_t i) { registry.check_push(repositories[i]); });
  } catch (const Cancelled&) {
    throw;
  } catch (Error& error) {
    error.add_hint("this was asked before the build, which --skip-push-permission-check "
                   "leaves out");
    throw;
  }
}

} // namespace cairn
