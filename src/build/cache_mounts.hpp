#pragma once

#include "build/plan.hpp"
#include "util/fd.hpp"

#include <functional>
#include <string>
#include <utility>

namespace cairn {

/// Where cache mounts live between builds. Several programs may use one directory at the same time.
///
///   <directory>/<key>/about   what the key stands for, as lines of text
///   <directory>/<key>/lock    held while an instance is made
///   <directory>/<key>/N       instance N, counted from 0: what commands see
///   <directory>/<key>/N.lock  held, shared or alone, while instance N is in use
class CacheMounts {
public:
  /// `directory` is made when it is first needed.
  explicit CacheMounts(std::string directory) : directory_(std::move(directory)) {}

  /// An instance, and the right to use it for as long as this value lives.
  struct Lease {
    std::string path; ///< Absolute, without links.
    Fd lock;
  };

  /// Fills the new, empty directory at `path`.
  using Fill = std::function<void(const std::string& path)>;

  /// Finds or makes the instance that `plan` asks for. `origin` tells apart what caches begin
  /// with. For CacheSharing::locked it waits until nobody else uses the cache; `stopped` ends that.
  /// @throws Error
  Lease take(const CachePlan& plan, const std::string& origin, const Fill& fill,
             const std::function<bool()>& stopped) const;

private:
  std::string directory_;
};

} // namespace cairn
