#pragma once

#include "builder/plan/plan.hpp"
#include "util/fd.hpp"
#include "util/progress.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// Where cache mounts live between builds. Several programs may use one directory at the same time.
/// What is kept of an instance is only used again if it is on the disk as it was left: one that a
/// power cut has met begins anew, with a warning.
///
///   <directory>/<key>/about   what the key stands for, as lines of text
///   <directory>/<key>/lock    held while an instance is made
///   <directory>/<key>/N       instance N, counted from 0: what commands see
///   <directory>/<key>/N.lock  held, shared or alone, while instance N is in use
///   <directory>/<key>/N.boot  from when instance N is used until all of it is on the disk, see
///                             boot_mark.hpp
///
/// Who uses a cache shares its directory (util/cache_locks.hpp). Thread-safe.
class CacheMounts {
public:
  /// Fills the new, empty directory at `path` with the cache called `key`, if it knows one.
  using Import = std::function<bool(const std::string& key, const std::string& path)>;

  /// A directory, which is made when it is first needed.
  struct Place {
    enum class Lasts { no, yes };
    std::string directory;
    Lasts lasts = Lasts::yes; ///< Whether it outlives the build.
  };

  /// `places`: at least one, best first. One that refuses something is not used from then on.
  CacheMounts(std::vector<Place> places, Progress& progress, Import import = {})
      : places_(std::move(places)), progress_(progress), import_(std::move(import)) {}
  CacheMounts(const CacheMounts&) = delete;
  CacheMounts& operator=(const CacheMounts&) = delete;
  /// Waits until all that was used is on the disk.
  ~CacheMounts();

  /// An instance, and the right to use it for as long as this value lives.
  struct Lease {
    std::string path; ///< Absolute, without links.
    Fd entry;         ///< The cache, which nobody removes meanwhile.
    Fd lock;
  };

  /// Fills the new, empty directory at `path`.
  using Fill = std::function<void(const std::string& path)>;

  /// Finds or makes the instance that `plan` asks for. `origin` tells apart what caches begin
  /// with. For CacheSharing::locked it waits until nobody else uses the cache; `stopped` ends that.
  /// @throws Error; Cancelled
  Lease take(const CachePlan& plan, const std::string& origin, const Fill& fill,
             const std::function<bool()>& stopped) const;

  /// The first instances of all caches that were taken, by key.
  std::map<std::string, std::string> used() const;

private:
  Lease take_in(const Place& place, const CachePlan& plan, const std::string& about,
                const Fill& fill, const std::function<bool()>& stopped) const;

  std::vector<Place> places_;
  Progress& progress_;
  Import import_;
  mutable std::mutex mutex_;
  mutable std::size_t place_ = 0; ///< The one that is used.
  mutable std::map<std::string, std::string> used_;
  mutable std::set<std::pair<std::string, unsigned>> marked_; ///< Instances of caches by path.
};

} // namespace cairn
