#include "build/cache_mount_transfer.hpp"

#include "build/image_writer.hpp"
#include "build/outputs.hpp"
#include "build/overlay_root.hpp"
#include "fs/changes.hpp"
#include "fs/metadata.hpp"
#include "fs/unpack.hpp"
#include "registry/transfer.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>

namespace cairn {

namespace {

constexpr std::string_view label = "dev.cairn.cache-mounts";
constexpr std::string_view layout_prefix = "oci:";
constexpr std::int64_t kept_seconds = 14 * 24 * 3600;

ImageSource source_of(const std::string& text) {
  ImageSource source;
  source.name = text;
  source.platform = Platform::host();
  if (text.starts_with(layout_prefix))
    source.layout_path = text.substr(layout_prefix.size());
  else
    source.reference = ImageRef::parse(text);
  return source;
}

/// The entries of a cache: its own directory first.
LayerContent content_of(const std::string& path) {
  auto root = std::make_shared<Fd>(open_at(current_directory(), path, O_RDONLY | O_DIRECTORY));
  LayerContent content;
  content.entries =
      changes_of_overlay(*root, Tree(), [](const RootedPath&) { return false; }, {}).entries;
  LayerEntry top;
  top.meta = metadata_from(*try_statx(*root, "."));
  content.entries.insert(content.entries.begin(), std::move(top));
  content.open = files_of(std::move(root), content.entries);
  return content;
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
  for (const auto& [key, path] : request.used)
    collection.add(key, now,
                   std::make_shared<StageLayer>(request.layers.start(content_of(path)),
                                                request.layers.store()));
  for (const auto& [key, cache] : request.imported.all())
    if (!request.used.contains(key) && cache.used + kept_seconds > now)
      collection.add(key, cache.used,
                     std::make_shared<StageLayer>(cache.image, cache.layer, nullptr));
  return collection;
}

void send(const BuiltImage& image, const std::string& destination, const CacheExport& request) {
  const auto target = source_of(destination);
  if (!target.reference)
    return write_layout(image, target.layout_path, std::nullopt);
  push_image(request.registry,
             {.destinations = {*target.reference},
              .manifest = image.manifest,
              .open = [&](const Descriptor& blob) { return image.open(blob); },
              .known_in = [&](const Digest& blob) { return image.known_in(blob); }},
             request.progress);
}

} // namespace

ImportedCaches::ImportedCaches(const std::vector<std::string>& sources, ImageLibrary& images,
                               Progress& progress) {
  for (const auto& name : sources) {
    try {
      const auto image = images.get(source_of(name));
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
      progress.info("No cache mounts from {}: {}", name, error.what());
    }
  }
}

bool ImportedCaches::fill(const std::string& key, const std::string& path) const {
  const auto found = caches_.find(key);
  if (found == caches_.end())
    return false;
  const auto root = open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
  Unpacker unpacker(root, {});
  StageLayer(found->second.image, found->second.layer, nullptr)
      .read([&](const LayerEntry& entry, TarReader& reader) { unpacker.add(entry, reader); });
  unpacker.finish();
  return true;
}

void export_caches(const CacheExport& request) {
  if (request.destinations.empty() || request.used.empty())
    return;
  try {
    const auto image = collect(request).image(request.now);
    for (const auto& destination : request.destinations) {
      within([&] { send(image, destination, request); }, "{}", destination);
      request.progress.info("Exported {} cache mounts to {}", image.layers.size(), destination);
    }
  } catch (const Error& error) {
    request.progress.warn("Cache mounts were not exported: {}", error.what());
  }
}

} // namespace cairn
