#pragma once

#include "build/cache_directory.hpp"
#include "build/copy_step.hpp"
#include "build/image_memory.hpp"
#include "build/options.hpp"
#include "build/schedule.hpp"
#include "build/step_caches.hpp"
#include "context/downloader.hpp"
#include "registry/client.hpp"

#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// Where things are kept from build to build, if anywhere: --cache-dir, or "/cache" when there is
/// such a directory.
std::optional<std::string> cache_directory(const ExecutionOptions& options);
/// The same where it can be written.
std::optional<std::string> writable_cache_directory(const ExecutionOptions& options);

/// Has `downloader` look into a --cache-dir that cannot be written.
void read_kept_downloads(const ExecutionOptions& options, Downloader& downloader);

/// --cache-dir, opened; null without --cache, or when there is no directory.
std::unique_ptr<CacheDirectory> open_cache_directory(const BuildOptions& options,
                                                     Progress& progress);

/// What base images were when they were last asked for. Null without a directory, which must
/// outlive it.
std::unique_ptr<ImageMemory> open_image_memory(const CacheDirectory* directory,
                                               const CacheOptions& options, Clock clock);

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

/// Adds the caches that the options name. `directory` may be null. All must outlive `caches`.
void add_caches(StepCaches& caches, const BuildOptions& options, const CacheDirectory* directory,
                RegistryClient& registry);

/// The rule for what is taken from caches.
EntryRule entry_rule(const BuildOptions& options, Time now);

/// What contexts tell without building anything.
struct ContextServices {
  const BuildContext& context;
  ImageLibrary& images;
  Downloads& downloads;
  GitLibrary& repositories;
  Workspace& workspace;
  const Clock& clock;
};

/// What has to be done of the plan.
Schedule make_schedule(const Plan& plan, const BuildOptions& options, StepCaches& caches,
                       const ContextServices& services);

} // namespace cairn
