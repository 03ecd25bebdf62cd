#pragma once

#include "apps/executor/command.hpp"
#include "creds/credential.hpp"
#include "net/http.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <memory>

namespace cairn {

/// Everything a build needs from the network, made from the command and the environment.
class Services {
public:
  /// `progress` and `cancel` are borrowed and must outlive it. @throws Error when a credential
  /// file cannot be read
  Services(const RegistryUse& use, const ProcessEnvironment& environment, Progress& progress,
           const std::atomic<bool>& cancel);

  Http& http() noexcept { return *http_; }
  RegistryClient& registry() noexcept { return registry_; }

private:
  std::unique_ptr<Http> http_;
  std::unique_ptr<Keychain> keychain_;
  RegistryClient registry_;
};

/// Asks the registries of all destinations whether we may push, all at once. @throws Error
void check_destinations(RegistryClient& registry, const std::vector<ImageRef>& destinations);

} // namespace cairn
