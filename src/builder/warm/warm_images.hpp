#pragma once

#include "builder/images/blob_fetcher.hpp"
#include "builder/images/image_finder.hpp"
#include "builder/images/image_library.hpp"
#include "builder/plan/planner.hpp"
#include "builder/warm/warm_report.hpp"
#include "registry/mirrors.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Images on their way into a cache directory, each once. Plans ask it for their base images: one
/// that cannot be had is empty to them, and a failure of its own. Thread-safe.
class WarmImages final : public BaseConfigs {
public:
  /// All are borrowed.
  WarmImages(const ImageFinder& finder, const RegistryMap& mirrors, Progress& progress,
             ExpansionLimit limit)
      : finder_(finder), mirrors_(mirrors), progress_(progress), limit_(limit) {}

  /// Finds images, several at the same time; those that are known already do not count.
  void prefetch(const std::vector<ImageSource>& images) override;
  ImageConfig config(const ImageSource& image) override;
  bool is_known(const ImageSource& image) const override;

  struct Entry {
    std::shared_ptr<const BaseImage> image; ///< Null when it was not found.
    std::vector<ImageRef> places;           ///< Where its blobs may be, best first.
    WarmedImage outcome;
  };

  /// Fetches the layers of all images that were found, each once. What fails is in the outcomes.
  void fetch_layers(const BlobFetcher& fetcher, Refetch refetch);
  /// In the order in which they were asked for. Nobody else uses this value any more.
  std::vector<Entry*> entries();

private:
  bool is_found(const ImageSource& image) const;
  Entry look_for(const ImageSource& image) const;

  const ImageFinder& finder_;
  const RegistryMap& mirrors_;
  Progress& progress_;
  ExpansionLimit limit_; ///< Of layers.
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::string, std::size_t> numbers_; ///< By ImageSource::key().
};

/// Images of registries that a plan names: bases, and what COPY and mounts read from.
std::vector<ImageSource> images_of(const Plan& plan);

} // namespace cairn
