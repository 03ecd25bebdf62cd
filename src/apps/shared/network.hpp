#pragma once

#include "apps/shared/credentials.hpp"
#include "apps/shared/registry_use.hpp"
#include "creds/docker/credential.hpp"
#include "net/http.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"
#include "util/variables.hpp"

#include <atomic>
#include <memory>

namespace cairn {

/// The way to registries and to the web, made from the command and the environment.
class Network {
public:
  /// `environment`, `progress` and `cancel` are borrowed and must outlive it. @throws Error when a
  /// credential file cannot be read
  Network(const RegistryUse& use, const Variables& environment, Progress& progress,
          const std::atomic<bool>& cancel);

  RegistryClient& registry() noexcept { return registry_; }
  /// The same with more patience, for what is built already.
  RegistryClient& publisher() noexcept { return publisher_; }
  /// The way to everything else: the same proxies and authorities, nothing that is for registries.
  Http& http() noexcept { return *http_; }
  const RetryPolicy& retry() const noexcept { return retry_; }
  Keychain& keychain() noexcept { return *keychain_; }

private:
  std::unique_ptr<Http> http_;
  CloudAccess clouds_;
  std::unique_ptr<Keychain> keychain_;
  RetryPolicy retry_;
  RegistryClient registry_;
  RegistryClient publisher_;
};

/// Proves the credential for an image, and returns it. Without one a push is let begin: registries
/// also hand anonymous callers a token, so that nothing else tells whether none is needed.
/// @throws Error
std::optional<Credential> prove_access(Network& network, const ImageRef& image, CheckDepth depth);

/// Asks the registries of all destinations whether we may push, all at once. @throws Error
void check_destinations(RegistryClient& registry, const std::vector<ImageRef>& destinations);

} // namespace cairn
