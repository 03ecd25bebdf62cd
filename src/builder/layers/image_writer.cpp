#include "builder/layers/image_writer.hpp"

#include "util/error.hpp"

#include <algorithm>

namespace cairn {

namespace {

/// The moment an image says it was made.
Time created_time(const TimeOptions& options, Time now) {
  if (options.epoch)
    return *options.epoch;
  return options.reproducible ? Time{} : now;
}

} // namespace

std::unique_ptr<Source> BuiltImage::open(const Descriptor& blob) const {
  if (blob.digest == manifest.config.digest)
    return std::make_unique<OwnedTextSource>(config);
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (manifest.layers[i].digest == blob.digest)
      return layers[i]->open();
  throw Error("blob {} is not part of the image", blob.digest.str());
}

std::vector<ImageRef> BuiltImage::known_in(const Digest& digest) const {
  std::vector<ImageRef> repositories;
  for (std::size_t i = 0; i < layers.size() && repositories.empty(); ++i)
    if (manifest.layers[i].digest == digest && layers[i]->base() && layers[i]->base()->repository)
      repositories.push_back(*layers[i]->base()->repository);
  if (const auto found = put_into.find(digest); found != put_into.end())
    repositories.insert(repositories.end(), found->second.begin(), found->second.end());
  return repositories;
}

BuiltImage assemble_image(ImageConfig config, std::vector<std::shared_ptr<const StageLayer>> layers,
                          const BuildOptions& options, ImageFormat base_format, Time now) {
  const auto format = options.output.format.value_or(base_format);
  const auto created = created_time(options.times, now);
  config.created = created;
  for (auto& entry : config.history)
    if (!entry.created)
      entry.created = created;
  for (const auto& [name, value] : options.language.labels)
    config.config.labels[name] = value;
  config.diff_ids.clear();
  std::vector<Descriptor> descriptors;
  for (const auto& layer : layers) {
    config.diff_ids.push_back(layer->diff_id());
    descriptors.push_back(layer->descriptor(format));
  }
  auto text = config.serialise();
  if (text.size() > largest_image_config)
    throw Error("the image's configuration has {} bytes, more than the {} that are read back: it "
                "holds the environment, labels and the history of all steps",
                text.size(), largest_image_config);
  Descriptor config_descriptor{std::string(config_type(format)), Digest::of(text), text.size()};
  auto manifest = Manifest::make(format, std::move(config_descriptor), std::move(descriptors),
                                 options.output.annotations);
  return {std::move(manifest), std::move(text), std::move(layers)};
}

} // namespace cairn
