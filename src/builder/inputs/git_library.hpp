#pragma once

#include "builder/plan/plan.hpp"
#include "context/git/git_source.hpp"
#include "util/once_map.hpp"

#include <atomic>
#include <memory>

namespace cairn {

/// The repositories that a build takes files from. What a reference means is asked once, and each
/// is fetched and checked out once, when its files are first needed. Thread-safe.
class GitLibrary {
public:
  explicit GitLibrary(GitServices services);
  GitLibrary(const GitLibrary&) = delete;
  GitLibrary& operator=(const GitLibrary&) = delete;

  /// The commit that a source is for the whole build. Fetches it only when its server cannot say
  /// the name. @throws Error
  GitId commit(const GitSource& source);
  /// Waits for a checkout of that commit. @throws Error what fetching it threw
  std::shared_ptr<const GitCheckout> get(const GitSource& source);
  /// Ends what is being fetched: nobody waits for it any more.
  void stop() noexcept { stopped_ = true; }

private:
  using CheckoutPtr = std::shared_ptr<const GitCheckout>;

  std::atomic<bool> stopped_ = false;
  GitServices services_;
  OnceMap<GitId> commits_; ///< Both by GitSource::key().
  OnceMap<CheckoutPtr> checkouts_;
};

} // namespace cairn
