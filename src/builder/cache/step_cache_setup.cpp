#include "builder/cache/step_cache_setup.hpp"

#include "builder/cache/step_cache_places.hpp"
#include "builder/store/cache_setup.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

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

} // namespace cairn
