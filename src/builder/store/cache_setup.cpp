#include "builder/store/cache_setup.hpp"

#include "builder/store/cache_trim.hpp"
#include "util/error.hpp"

#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr const char* usual_directory = "/cache";

} // namespace

std::optional<std::string> cache_directory(const ExecutionOptions& options) {
  if (!options.cache_directory && ::access(usual_directory, R_OK | X_OK) == 0)
    return usual_directory;
  return options.cache_directory;
}

std::optional<std::string> writable_cache_directory(const ExecutionOptions& options) {
  auto directory = cache_directory(options);
  if (directory && ::access(directory->c_str(), W_OK) != 0 && errno != ENOENT)
    return std::nullopt;
  return directory;
}

std::unique_ptr<CacheDirectory> open_cache_directory(const BuildOptions& options,
                                                     Progress& progress) {
  const auto directory = cache_directory(options.execution);
  if (!options.cache.enabled || !directory)
    return nullptr;
  try {
    return std::make_unique<CacheDirectory>(*directory, progress);
  } catch (const SysError& error) {
    progress.warn("--cache-dir is not used: {}", error.what());
    return nullptr;
  }
}

CacheLimit::CacheLimit(const ExecutionOptions& options, const CacheDirectory* directory,
                       const Clock& clock, Progress& progress)
    : options_(options), directory_(directory), clock_(clock), progress_(progress) {
  if (const auto path = writable_cache_directory(options))
    remove_leftovers(*path, clock());
}

CacheLimit::~CacheLimit() {
  if (directory_ != nullptr)
    directory_->release();
  if (const auto path = writable_cache_directory(options_); path && options_.cache_max_size > 0)
    keep_cache_small(*path, options_.cache_max_size, clock_(), progress_);
}

} // namespace cairn
