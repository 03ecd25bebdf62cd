#pragma once

#include "builder/options/build_options.hpp"
#include "builder/store/cache_directory.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// Where things are kept from build to build, if anywhere: --cache-dir, or "/cache" when there is
/// such a directory.
std::optional<std::string> cache_directory(const ExecutionOptions& options);
/// The same where it can be written.
std::optional<std::string> writable_cache_directory(const ExecutionOptions& options);

/// --cache-dir, opened; null without --cache, or when there is no directory.
std::unique_ptr<CacheDirectory> open_cache_directory(const BuildOptions& options,
                                                     Progress& progress);

/// Removes what killed builds left in --cache-dir, and makes room in it when this build ends,
/// however it does.
class CacheLimit {
public:
  /// All are borrowed; `directory` may be null. What uses the directory must not outlive it.
  CacheLimit(const ExecutionOptions& options, const CacheDirectory* directory, const Clock& clock,
             Progress& progress);
  CacheLimit(const CacheLimit&) = delete;
  CacheLimit& operator=(const CacheLimit&) = delete;
  ~CacheLimit();

private:
  const ExecutionOptions& options_;
  const CacheDirectory* directory_;
  const Clock& clock_;
  Progress& progress_;
};

} // namespace cairn
