#pragma once

#include "creds/docker/credential.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <atomic>

namespace cairn {

/// What a RegistryClient works with; all borrowed.
struct RegistryServices {
  Http& http; ///< One attempt per call: the client repeats by itself.
  Keychain& keychain;
  Progress& progress;
  Clock clock = system_now;
  RetryPolicy retry = {};
  const std::atomic<bool>* cancel = nullptr;
};

} // namespace cairn
