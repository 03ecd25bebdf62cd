#pragma once

#include "builder/images/base_image.hpp"
#include "builder/images/image_resolution_cache.hpp"
#include "builder/plan/base_configs.hpp"
#include "builder/plan/plan.hpp"
#include "fs/archive/expansion.hpp"
#include "oci/blob_store.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "registry/client.hpp"
#include "registry/mirrors.hpp"
#include "util/progress.hpp"
#include "util/stream.hpp"

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// What an ImageLibrary works with.
struct ImageServices {
  RegistryClient& registry; ///< Borrowed.
  RegistryMap mirrors;
  Progress& progress; ///< Borrowed.
  /// What is known from earlier builds. Borrowed; may be null.
  const ImageResolutionCache* memory = nullptr;
  ExpansionLimit limit = {}; ///< Of layers.
};

/// Finds base images, each once, several at the same time. Thread-safe.
class ImageLibrary final : public BaseConfigs {
public:
  explicit ImageLibrary(ImageServices services) : services_(std::move(services)) {}

  void prefetch(const std::vector<ImageSource>& images) override;
  ImageConfig config(const ImageSource& image) override { return get(image)->config; }
  /// @throws Error
  std::shared_ptr<const BaseImage> get(const ImageSource& image);

private:
  std::shared_ptr<const BaseImage> resolve(const ImageSource& image);
  std::shared_ptr<const BaseImage> from_registry(const ImageSource& image);
  std::shared_ptr<const BaseImage> from_layout(const ImageSource& image);

  ImageServices services_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const BaseImage>> known_;
  std::map<std::string, std::exception_ptr> failed_; ///< While prefetching; told once.
};

} // namespace cairn
