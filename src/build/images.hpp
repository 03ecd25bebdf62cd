#pragma once

#include "build/image_memory.hpp"
#include "build/plan.hpp"
#include "build/planner.hpp"
#include "fs/expansion.hpp"
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

/// A base image: what it consists of, and where its blobs are.
struct BaseImage {
  ImageSource source;
  Manifest manifest;
  ImageConfig config;                 ///< config.diff_ids.size() == manifest.layers.size()
  std::optional<ImageRef> repository; ///< Where blobs can be mounted from; nothing for a layout.
  /// The bytes of a blob, verified at their end. Thread-safe.
  std::function<std::unique_ptr<Source>(const Descriptor&)> open;
  ExpansionLimit limit = unlimited_expansion; ///< Of its layers. One that a build made has none.
};

struct FoundImage;

/// An image that was found in a registry. @throws Error when its documents do not fit
std::shared_ptr<const BaseImage> make_base_image(const ImageSource& source, FoundImage found,
                                                 ExpansionLimit limit);

/// What an ImageLibrary works with.
struct ImageServices {
  RegistryClient& registry; ///< Borrowed.
  RegistryMap mirrors;
  Progress& progress; ///< Borrowed.
  /// What is known from earlier builds. Borrowed; may be null.
  const ImageMemory* memory = nullptr;
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

/// A blob that is a document, verified. @throws Error, also when it is larger than 8 MiB
std::string stored_text(const BlobStore& blobs, const Descriptor& blob);

/// Reads `from` and throws at its end unless the bytes are those of `blob`.
std::unique_ptr<Source> verify_blob(std::unique_ptr<Source> from, const Descriptor& blob);

} // namespace cairn
