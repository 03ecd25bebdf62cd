#pragma once

#include "builder/store/unreachable_cache.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"
#include "util/shared_result.hpp"

#include <atomic>
#include <optional>
#include <string>

namespace cairn {

/// Whether the registry of a cache answers at all. That is found out beside the build, in seconds:
/// a build may wait long for its base image, and should not for what only makes it faster. A
/// registry that answers is dealt with as any other from then on. Thread-safe.
class CacheContact {
public:
  /// Asks from now on. All is borrowed.
  CacheContact(RegistryClient& registry, ImageRef repository, Progress& progress);
  CacheContact(const CacheContact&) = delete;
  CacheContact& operator=(const CacheContact&) = delete;
  ~CacheContact(); ///< Ends what is under way.

  /// Waits for the answer. @throws UnreachableCache when there is none, which is told once
  void require();

private:
  /// Why there is no contact; nothing when there is.
  std::optional<std::string> attempt();

  RegistryClient& registry_;
  const ImageRef repository_;
  Progress& progress_;
  std::atomic<bool> cancel_ = false;
  std::atomic<bool> has_told_ = false;
  SharedResult<std::optional<std::string>> failure_;
};

/// The same where there may be none to ask.
inline void require_contact(CacheContact* contact) {
  if (contact != nullptr)
    contact->require();
}

} // namespace cairn
