#pragma once

#include "build/check_report.hpp"
#include "build/options.hpp"
#include "build/plan.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "registry/client.hpp"
#include "registry/mirrors.hpp"
#include "run/runner.hpp"
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

/// What was built.
struct BuildReport {
  Digest digest;
  std::vector<Descriptor> layers;
  Rung rung = Rung::none;
};

/// Everything from a Dockerfile to pushed tags. @throws Error
BuildReport build_image(const BuildOptions& options, const BuildServices& services);

/// What is doubtful in the Dockerfile. Builds and writes nothing. @throws Error when there is
/// nothing to check; what a build would fail with is part of the report
CheckReport check_build(const BuildOptions& options, const BuildServices& services);

/// The plan alone, as text. Touches nothing but base images' configurations.
std::string dry_run(const BuildOptions& options, const BuildServices& services);

} // namespace cairn
