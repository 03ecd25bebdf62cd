#pragma once

#include "build/plan.hpp"
#include "util/fd.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace cairn {

/// Where cache mounts live between builds. Several programs may use one directory at the same time.
///
///   <directory>/<key>/about   what the key stands for, as lines of text
///   <directory>/<key>/lock    held while an instance is made
///   <directory>/<key>/N       instance N, counted from 0: what commands see
///   <directory>/<key>/N.lock  held, shared or alone, while instance N is in use
///
/// Thread-safe.
class CacheMounts {
public:
  /// Fills the new, empty directory at `path` with the cache called `key`, if it knows one.
  using Import = std::function<bool(const std::string& key, const std::string& path)>;

  /// `directory` is made when it is first needed.
  explicit CacheMounts(std::string directory, Import import = {})
      : directory_(std::move(directory)), import_(std::move(import)) {}

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

  /// The first instances of all caches that were taken, by key.
  std::map<std::string, std::string> used() const;

private:
  std::string directory_;
  Import import_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> used_;
};

} // namespace cairn
