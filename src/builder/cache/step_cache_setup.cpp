#include "builder/cache/step_cache_setup.hpp"

#include "builder/cache/repository_indexes.hpp"
#include "builder/cache/step_cache_places.hpp"
#include "builder/store/cache_setup.hpp"
#include "builder/store/directory_indexes.hpp"
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

/// StepCaches::Use or LayerIndexCaches::Use.
template<class Use>
Use use_of(bool is_written) {
  return is_written ? Use::read_and_write : Use::read;
}

} // namespace

std::unique_ptr<CacheContact> contact_cache(const BuildOptions& options, RegistryClient& registry,
                                            Progress& progress) {
  const auto location = repository(options);
  if (!options.cache.enabled || !location || !location->reference)
    return nullptr;
  if (!options.cache.repository)
    progress.info("--cache: steps are kept in {}, beside the first destination: --cache-repo names "
                  "another place",
                  location->name);
  return std::make_unique<CacheContact>(registry, *location->reference, progress);
}

void add_caches(StepCaches& caches, const BuildOptions& options, const CacheServices& services) {
  using Use = StepCaches::Use;
  if (!options.cache.enabled)
    return;
  if (services.directory != nullptr)
    caches.use(make_local_cache(*services.directory),
               use_of<Use>(services.directory->is_writable()));
  if (const auto location = repository(options))
    caches.use(make_remote_cache(*location, services.registry, services.contact),
               use_of<Use>(options.cache.push));
  // One that was named and cannot be used has been told of.
  if (caches.empty() && !cache_directory(options.execution))
    throw with_hint(Error("--cache: there is nowhere to keep anything"),
                    "give --cache-repo, --cache-dir or --destination");
}

void add_caches(LayerIndexCaches& indexes, const BuildOptions& options,
                const CacheServices& services) {
  using Use = LayerIndexCaches::Use;
  using Distance = LayerIndexCaches::Distance;
  if (!options.cache.enabled)
    return;
  if (services.directory != nullptr)
    indexes.use(make_directory_indexes(*services.directory),
                use_of<Use>(services.directory->is_writable()), Distance::near);
  if (const auto location = repository(options); location && location->reference)
    indexes.use(make_repository_indexes(*location->reference, services.registry, services.contact),
                use_of<Use>(options.cache.push), Distance::far);
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
