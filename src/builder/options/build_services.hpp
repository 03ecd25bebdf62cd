#pragma once

#include "net/http.hpp"
#include "net/retry.hpp"
#include "registry/client.hpp"
#include "registry/mirrors.hpp"
#include "run/process/runner.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// What a build needs from the program around it; all borrowed.
struct BuildServices {
  RegistryClient& registry;
  RegistryClient& publisher;  ///< For the image that was built.
  const RegistryMap& mirrors; ///< Where base images are looked for.
  /// For downloads, one attempt per call. What is allowed for a registry does not count for it.
  Http& http;
  RetryPolicy retry;
  Progress& progress;
  Clock clock = system_now;
  /// The executor's environment, "NAME=value": to tell whether this is a container.
  std::vector<std::string> environment;
  /// Becomes true when the program was told to end.
  const std::atomic<bool>& cancel;
  /// Told about the runner, so that signals can be passed on; told nullptr when it is gone.
  std::function<void(Runner*)> on_runner;
};

} // namespace cairn
