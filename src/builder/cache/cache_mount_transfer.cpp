#include "builder/cache/cache_mount_transfer.hpp"

#include "builder/layers/directory_content.hpp"
#include "builder/layers/image_layer.hpp"
#include "builder/layers/image_writer.hpp"
#include "builder/layers/made_layer.hpp"
#include "builder/layers/write_layout.hpp"
#include "fs/tree/unpack.hpp"
#include "registry/push.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <fcntl.h>

#include <set>

namespace cairn {

namespace {

constexpr std::string_view label = "dev.cairn.cache-mounts";
constexpr std::int64_t kept_seconds = std::int64_t{14} * 24 * 3600;

/// The image that is there, of this machine's platform.
ImageSource image_at(const CacheLocation& location) {
  ImageSource source;
  source.name = location.name;
  source.reference = location.reference;
  source.layout_path = location.layout_path;
  source.platform = Platform::host();
  return source;
}

/// The image that is to be exported, as it is put together.
class Collection {
public:
  void add(const std::string& key, std::int64_t used, std::shared_ptr<const StageLayer> layer) {
    label_ += fmt::format("{}{}@{}", label_.empty() ? "" : " ", key, used);
    layers_.push_back(std::move(layer));
  }
  bool empty() const noexcept { return layers_.empty(); }

  BuiltImage image(Time now) && {
    ImageConfig config;
    config.platform = Platform::host();
    config.config.labels[std::string(label)] = label_;
    config.history.resize(layers_.size());
    for (auto& entry : config.history)
      entry.created_by = "cache mount";
    return assemble_image(std::move(config), std::move(layers_), BuildOptions(), ImageFormat::oci,
                          now);
  }

private:
  std::string label_;
  std::vector<std::shared_ptr<const StageLayer>> layers_;
};

Collection collect(const CacheExport& request) {
  Collection collection;
  const auto now = unix_seconds(request.now);
  for (const auto& [key, path] : request.used) {
    auto layer = std::make_shared<MadeLayer>(read_directory(path), request.layers);
    layer->write();
    collection.add(key, now, std::move(layer));
  }
  for (const auto& [key, cache] : request.imported.all())
    if (!request.used.contains(key) && cache.used + kept_seconds > now)
      collection.add(key, cache.used,
                     std::make_shared<ImageLayer>(cache.image, cache.layer, LayerCachePolicy{}));
  return collection;
}

void send(const BuiltImage& image, const CacheLocation& target, const CacheExport& request) {
  if (!target.reference) {
    write_layout(image, target.layout_path, std::nullopt);
    // Earlier exports would add up.
    std::set<Digest> blobs = {image.manifest.digest(), image.manifest.config.digest};
    for (const auto& layer : image.manifest.layers)
      blobs.insert(layer.digest);
    return BlobStore(target.layout_path).keep_only(blobs);
  }
  push_image(request.registry,
             {.destinations = {*target.reference},
              .documents = {document_of(image.manifest)},
              .open = [&](const Descriptor& blob) { return image.open(blob); },
              .known_in = [&](const Digest& blob) { return image.known_in(blob); }},
             request.progress);
}

} // namespace

ImportedCaches::ImportedCaches(const std::vector<CacheLocation>& sources, ImageLibrary& images,
                               Progress& progress)
    : progress_(progress) {
  for (const auto& source : sources) {
    try {
      const auto image = images.get(image_at(source));
      const auto& labels = image->config.config.labels;
      const auto found = labels.find(std::string(label));
      const auto keys = split(found != labels.end() ? found->second : "", ' ');
      if (found == labels.end() || keys.size() != image->manifest.layers.size())
        throw Error("this image holds no cache mounts");
      for (std::size_t i = 0; i < keys.size(); ++i)
        if (const auto parts = cut(keys[i], '@'))
          caches_.try_emplace(std::string(parts->first),
                              Cache{image, i, parse_signed(parts->second).value_or(0)});
    } catch (const Error& error) {
      progress.info("No cache mounts from {}: {}", source.name, error.what());
    }
  }
}

bool ImportedCaches::fill(const std::string& key, const std::string& path) const {
  const auto found = caches_.find(key);
  if (found == caches_.end())
    return false;
  const auto root = open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
  try {
    Unpacker unpacker(root, {});
    ImageLayer(found->second.image, found->second.layer, {})
        .read(
            [&](const LayerEntry& entry, EntryContent& content) { unpacker.add(entry, content); });
    unpacker.finish();
    return true;
  } catch (const Error& error) {
    progress_.warn("A cache mount from {} is damaged, an empty one is used: {}",
                   found->second.image->source.name, error.what());
    for (const auto& name : list_directory(root))
      remove_tree(root, name);
    return false;
  }
}

void export_caches(const CacheExport& request) {
  if (request.destinations.empty() || request.used.empty())
    return;
  try {
    const auto image = collect(request).image(request.now);
    for (const auto& destination : request.destinations) {
      within([&] { send(image, destination, request); }, "{}", destination.name);
      request.progress.info("Exported {} cache mounts to {}", image.layers.size(),
                            destination.name);
    }
  } catch (const Error& error) {
    request.progress.warn("Cache mounts were not exported: {}", error.what());
  }
}

} // namespace cairn
