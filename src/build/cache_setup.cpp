#include "build/cache_setup.hpp"

#include "build/cache_trim.hpp"
#include "build/step_cache_places.hpp"
#include "util/error.hpp"

#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr const char* usual_directory = "/cache";

/// kaniko's default: a repository below that of the image.
std::optional<CacheLocation> repository(const BuildOptions& options) {
  if (options.cache.repository || options.output.destinations.empty())
    return options.cache.repository;
  const auto& destination = options.output.destinations.front();
  CacheLocation location;
  location.reference = destination.with_repository(destination.repository() + "/cache");
  location.name = location.reference->name();
  return location;
}

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

void read_kept_downloads(const ExecutionOptions& options, Downloader& downloader) {
  const auto directory = cache_directory(options);
  if (directory && !writable_cache_directory(options))
    downloader.also_read(*directory + "/downloads");
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

std::unique_ptr<ImageMemory> open_image_memory(const CacheDirectory* directory,
                                               const CacheOptions& options, Clock clock) {
  if (directory == nullptr)
    return nullptr;
  return std::make_unique<ImageMemory>(*directory, options.time_to_live, std::move(clock));
}

void add_caches(StepCaches& caches, const BuildOptions& options, const CacheDirectory* directory,
                RegistryClient& registry) {
  if (!options.cache.enabled)
    return;
  if (directory != nullptr)
    caches.use(make_local_cache(*directory),
               directory->is_writable() ? StepCaches::Use::read_and_write : StepCaches::Use::read);
  if (const auto location = repository(options))
    caches.use(make_remote_cache(*location, registry),
               options.cache.push ? StepCaches::Use::read_and_write : StepCaches::Use::read);
  // One that was named and cannot be used has been told of.
  if (caches.empty() && !cache_directory(options.execution))
    throw with_hint(Error("--cache: there is nowhere to keep anything"),
                    "give --cache-repo, --cache-dir or --destination");
}

EntryRule entry_rule(const BuildOptions& options, Time now) {
  EntryRule rule;
  rule.time_to_live = options.cache.time_to_live;
  rule.now = now;
  rule.epoch = options.times.epoch;
  rule.reproducible = options.times.reproducible;
  return rule;
}

Schedule make_schedule(const Plan& plan, const BuildOptions& options, StepCaches& caches,
                       const ContextServices& services) {
  if (caches.empty())
    return whole_schedule(plan);
  SilentProgress silent;
  const CopyServices files{services.context,
                           services.images,
                           services.downloads,
                           services.repositories,
                           services.workspace,
                           [](std::size_t) -> std::shared_ptr<SharedStack> {
                             throw Error("no stage is read for a key");
                           },
                           [](const ImageSource&) -> std::shared_ptr<SharedStack> {
                             throw Error("no image is read for a key");
                           },
                           services.clock,
                           silent,
                           options.execution.unpacked};
  const auto keys = plan_keys(plan, {options, files, services.images});
  return cached_schedule(plan, keys, caches, options.cache);
}

} // namespace cairn
