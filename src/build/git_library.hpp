#pragma once

#include "build/plan.hpp"
#include "context/git_source.hpp"

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace cairn {

/// The repositories that a build takes files from: each is fetched and checked out once, when it
/// is first needed. Thread-safe.
class GitLibrary {
public:
  explicit GitLibrary(GitServices services) : services_(std::move(services)) {}

  /// Waits for a checkout. @throws Error what fetching it threw
  std::shared_ptr<const GitCheckout> get(const GitSource& source);

private:
  using CheckoutPtr = std::shared_ptr<const GitCheckout>;

  GitServices services_;
  std::mutex mutex_;
  std::map<std::string, std::shared_future<CheckoutPtr>> checkouts_; ///< By GitSource::key().
};

} // namespace cairn
