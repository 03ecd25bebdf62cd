#include "apps/shared/network.hpp"

#include "apps/shared/http_settings.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"

#include <algorithm>

namespace cairn {

namespace {

RetryPolicy retry_policy(unsigned extra_attempts) {
  RetryPolicy policy;
  policy.attempts += extra_attempts;
  return policy;
}

/// A minute and more: what is built is worth waiting for a registry that starts anew.
RetryPolicy publish_policy(unsigned extra_attempts) {
  RetryPolicy policy{.attempts = 8, .factor = 2, .cap = std::chrono::seconds(20)};
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

Network::Network(const RegistryUse& use, const Variables& environment, Progress& progress,
                 const std::atomic<bool>& cancel)
    : http_(make_http(http_options(environment, cancel, &progress))),
      clouds_(*http_, environment, cancel),
      keychain_(
          make_program_keychain(use.asked_helpers(), {clouds_, environment, progress, cancel})),
      retry_(retry_policy(use.extra_attempts)),
      registry_(registry_services(*http_, *keychain_, progress, retry_, cancel), use.options),
      publisher_(registry_, publish_policy(use.extra_attempts)) {}

std::optional<Credential> prove_access(Network& network, const ImageRef& image, CheckDepth depth) {
  auto credential = network.keychain().find(image);
  if (credential)
    network.registry().check_login(image);
  if (!credential || depth == CheckDepth::push)
    network.registry().check_push(image);
  return credential;
}

void check_destinations(RegistryClient& registry, const std::vector<ImageRef>& destinations) {
  std::vector<ImageRef> repositories;
  for (const auto& destination : destinations)
    if (std::none_of(repositories.begin(), repositories.end(),
                     [&](const ImageRef& known) { return known.name() == destination.name(); }))
      repositories.push_back(destination);
  try {
    parallel_for(repositories.size(), repositories.size(),
                 [&](std::size_t i) { registry.check_push(repositories[i]); });
  } catch (Error& error) {
    error.add_hint("this was asked before the work, which --skip-push-permission-check "
                   "leaves out");
    throw;
  }
}

} // namespace cairn
