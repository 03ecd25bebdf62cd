#include "builder/warm/warm_images.hpp"

#include "net/http.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <set>

namespace cairn {

namespace {

constexpr std::size_t parallel_lookups = 8;
/// More would only share the same line.
constexpr std::size_t parallel_fetches = 6;

/// A layer that some images have in common.
struct SharedLayer {
  Descriptor blob;
  std::vector<WarmImages::Entry*> images; ///< At least one.
  BlobOutcome outcome = {};
  std::optional<WarmFailure> failure = std::nullopt;
};

std::vector<SharedLayer> layers_of(const std::vector<WarmImages::Entry*>& entries) {
  std::vector<SharedLayer> layers;
  std::map<Digest, std::size_t> known;
  for (auto* entry : entries) {
    if (!entry->image)
      continue;
    for (const auto& blob : entry->image->manifest.layers) {
      const auto [place, is_new] = known.emplace(blob.digest, layers.size());
      if (is_new)
        layers.push_back({blob, {}});
      auto& images = layers[place->second].images;
      if (images.empty() || images.back() != entry)
        images.push_back(entry);
    }
  }
  return layers;
}

/// Everywhere that one of its images may be.
std::vector<ImageRef> places_of(const SharedLayer& layer) {
  std::vector<ImageRef> places;
  for (const auto* image : layer.images)
    for (const auto& place : image->places)
      if (std::none_of(places.begin(), places.end(),
                       [&](const ImageRef& known) { return known.name() == place.name(); }))
        places.push_back(place);
  return places;
}

/// The place where an image was found, and those after it.
std::vector<ImageRef> places_from(const ImageRef& found, const std::vector<ImageRef>& candidates) {
  std::vector<ImageRef> places;
  for (const auto& candidate : candidates)
    if (!places.empty() || candidate.name() == found.name())
      places.push_back(candidate);
  return places;
}

} // namespace

WarmImages::Entry WarmImages::look_for(const ImageSource& image) const {
  Entry entry{nullptr, {}, {image.name, image.platform, {}, {}}};
  try {
    within(
        [&] {
          progress_.info("Retrieving image manifest {}", image.name);
          const auto candidates = mirrors_.candidates(*image.reference);
          auto found = finder_.find(*image.reference, candidates, image.platform);
          entry.outcome.digest = found.image.manifest.digest();
          entry.outcome.index = found.image.index;
          entry.places = places_from(found.image.ref, candidates);
          entry.image = make_base_image(image, std::move(found), limit_);
        },
        "{}", printable(image.name));
  } catch (const Error& error) {
    entry.outcome.failure = WarmFailure(error);
  }
  return entry;
}

void WarmImages::prefetch(const std::vector<ImageSource>& images) {
  std::vector<ImageSource> wanted;
  std::set<std::string> keys;
  for (const auto& image : images)
    if (!is_found(image) && keys.insert(image.key()).second)
      wanted.push_back(image);
  std::vector<std::unique_ptr<Entry>> found(wanted.size());
  parallel_for(wanted.size(), parallel_lookups,
               [&](std::size_t i) { found[i] = std::make_unique<Entry>(look_for(wanted[i])); });
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (numbers_.emplace(wanted[i].key(), entries_.size()).second)
      entries_.push_back(std::move(found[i]));
}

bool WarmImages::is_found(const ImageSource& image) const {
  const std::lock_guard lock(mutex_);
  return numbers_.contains(image.key());
}

ImageConfig WarmImages::config(const ImageSource& image) {
  prefetch({image});
  const std::lock_guard lock(mutex_);
  const auto& entry = *entries_.at(numbers_.at(image.key()));
  if (entry.image)
    return entry.image->config;
  ImageConfig empty;
  empty.platform = image.platform;
  return empty;
}

bool WarmImages::is_known(const ImageSource& image) const {
  const std::lock_guard lock(mutex_);
  const auto number = numbers_.find(image.key());
  return number == numbers_.end() || entries_[number->second]->image;
}

void WarmImages::fetch_layers(const BlobFetcher& fetcher, Refetch refetch) {
  auto layers = layers_of(entries());
  parallel_for(layers.size(), parallel_fetches, [&](std::size_t i) {
    auto& layer = layers[i];
    try {
      layer.outcome = within([&] { return fetcher.fetch(places_of(layer), layer.blob, refetch); },
                             "{}", printable(layer.images.front()->outcome.name));
    } catch (const Error& error) {
      layer.failure = WarmFailure(error);
    }
  });
  for (const auto& layer : layers)
    for (auto* image : layer.images) {
      auto& outcome = image->outcome;
      const bool is_first = image == layer.images.front();
      outcome.fetched += is_first ? layer.outcome.fetched : 0;
      outcome.reused += is_first ? layer.outcome.reused : layer.blob.size;
      if (layer.failure && !outcome.failure)
        outcome.failure = layer.failure;
    }
}

std::vector<WarmImages::Entry*> WarmImages::entries() {
  std::vector<Entry*> all;
  for (const auto& entry : entries_)
    all.push_back(entry.get());
  return all;
}

std::vector<ImageSource> images_of(const Plan& plan) {
  std::vector<ImageSource> images;
  const auto add = [&](const auto& any) {
    if (const auto* image = std::get_if<ImageSource>(&any); image != nullptr && image->reference)
      images.push_back(*image);
  };
  for (const auto& stage : plan.stages) {
    add(stage.base);
    for (const auto& step : stage.steps)
      visit_origins(step.action, add);
  }
  return images;
}

} // namespace cairn
