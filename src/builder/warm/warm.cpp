#include "builder/warm/warm.hpp"

#include "builder/layers/image_layer.hpp"
#include "builder/roots/layer_unpacker.hpp"
#include "builder/store/cache_trim.hpp"
#include "builder/store/directory_indexes.hpp"
#include "builder/store/layer_index_caches.hpp"
#include "builder/warm/warm_dockerfile.hpp"
#include "builder/warm/warm_images.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <map>

namespace cairn {

namespace {

std::vector<ImageSource> sources_of(const WarmRequest& request) {
  const auto platforms =
      request.platforms.empty() ? std::vector<Platform>{Platform::host()} : request.platforms;
  std::vector<ImageSource> sources;
  for (const auto& image : request.images)
    for (const auto& platform : platforms) {
      ImageSource source;
      source.name = image.str();
      source.reference = image;
      source.platform = platform;
      sources.push_back(std::move(source));
    }
  return sources;
}

void require_usable(const CacheDirectory& cache, const WarmRequest& request) {
  if (!cache.is_writable())
    throw Error("--cache-dir: '{}' cannot be written", request.directory);
  if (request.unpack == UnpackLayers::yes && !cache.unpacked().can_make())
    throw with_hint(Error("--unpack: layers cannot be unpacked in '{}'", request.directory),
                    "that takes root, and a file system with user.* extended attributes");
}

/// Indexes the layers of an image, or unpacks them, which does both.
void prepare_layers(const std::shared_ptr<const BaseImage>& image, const CacheDirectory& cache,
                    Workspace* workspace) {
  std::vector<std::shared_ptr<const StageLayer>> layers;
  SilentProgress silent;
  LayerIndexCaches indexes(silent);
  indexes.use(make_directory_indexes(cache), LayerIndexCaches::Use::read_and_write,
              LayerIndexCaches::Distance::near);
  const LayerCachePolicy keep{&cache.blobs(), &cache, &indexes};
  for (std::size_t i = 0; i < image->manifest.layers.size(); ++i)
    layers.push_back(std::make_shared<const ImageLayer>(image, i, keep));
  LayerStack stack(layers, layers.size());
  if (workspace != nullptr)
    unpack_base(stack, *workspace);
  const bool is_indexed = std::all_of(layers.begin(), layers.end(), [&](const auto& layer) {
    return cache.has_index(layer->diff_id());
  });
  if (!is_indexed)
    stack.tree();
}

void prepare(WarmImages::Entry& entry, const CacheDirectory& cache, Workspace* workspace) {
  auto& outcome = entry.outcome;
  if (outcome.failure)
    return;
  try {
    within([&] { prepare_layers(entry.image, cache, workspace); }, "{}", printable(outcome.name));
  } catch (const Error& error) {
    outcome.failure = WarmFailure(error);
  }
}

/// For public repositories: a warmer is given no secrets and no agent.
GitServices git_services(const WarmRequest& request, const WarmServices& services,
                         const Workspace& workspace) {
  return {.http = services.http,
          .progress = services.progress,
          .cancel = services.cancel,
          .credentials = {},
          .tls = nullptr,
          .ssh = {},
          .temporary = workspace.temporary(),
          .cache = request.directory + "/git",
          .clock = services.clock,
          .retry = services.retry};
}

void tell(const WarmedImage& image, Progress& progress) {
  if (!image.failure)
    progress.info("{} for {} is {}: {} fetched, {} were there", printable(image.name),
                  image.platform.str(), image.digest->str(), human_size(image.fetched),
                  human_size(image.reused));
}

void tell(const WarmedDockerfile& file, Progress& progress) {
  if (!file.failure && file.steps > 0)
    progress.info("{} for {}: {} of {} steps are there: {} fetched, {} were there",
                  printable(file.name), file.platform.str(), file.found, file.steps,
                  human_size(file.fetched), human_size(file.reused));
}

} // namespace

WarmReport warm(const WarmRequest& request, const WarmServices& services) {
  const CacheDirectory cache(request.directory, services.progress);
  require_usable(cache, request);
  const ImageResolutionCache memory(cache, request.time_to_live, services.clock);
  const ImageFinder finder(services.registry, &memory, services.progress,
                           request.refetch == Refetch::yes ? Asking::always : Asking::fresh);
  const BlobFetcher fetcher(cache, services.registry, services.cancel);
  remove_leftovers(request.directory, services.clock());
  Workspace workspace({"/kaniko/work", "/tmp", "/dev/shm", request.directory + "/.work"});
  const std::map<std::string, std::string> no_secrets;
  Downloader downloader({services.http, services.progress, no_secrets, services.cancel,
                         services.retry, request.unpacked},
                        {request.directory + "/downloads", workspace.path() + "/downloads"});

  GitLibrary repositories(git_services(request, services, workspace));

  WarmImages images(finder, services.mirrors, services.progress, request.unpacked);
  images.prefetch(sources_of(request));
  WarmDockerfiles dockerfiles(
      {request, services, cache, memory, fetcher, downloader, repositories, workspace});
  dockerfiles.find_images(images);

  images.fetch_layers(fetcher, request.refetch);
  for (auto* entry : images.entries())
    prepare(*entry, cache, request.unpack == UnpackLayers::yes ? &workspace : nullptr);
  if (request.steps_from)
    dockerfiles.fetch_steps();

  WarmReport report;
  for (const auto* entry : images.entries())
    report.images.push_back(entry->outcome);
  report.dockerfiles = dockerfiles.outcomes();
  cache.release();
  keep_cache_small(request.directory, request.max_size, services.clock(), services.progress);
  for (const auto& image : report.images)
    tell(image, services.progress);
  for (const auto& file : report.dockerfiles)
    tell(file, services.progress);
  return report;
}

} // namespace cairn
