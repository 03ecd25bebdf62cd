#pragma once

#include "builder/images/image_finder.hpp"
#include "builder/plan/plan.hpp"
#include "fs/archive/expansion.hpp"
#include "oci/blob_ranges.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "util/stream.hpp"

#include <functional>
#include <memory>
#include <optional>

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
  /// Parts of a blob, which nobody has verified; null where it is read whole. Thread-safe.
  /// @throws RangeRefused, see RegistryClient::read_blob_range()
  std::function<std::unique_ptr<Source>(const Descriptor&, ByteRange)> open_range = nullptr;
};

/// An image that was found in a registry. @throws Error when its documents do not fit
std::shared_ptr<const BaseImage> make_base_image(const ImageSource& source, FoundImage found,
                                                 ExpansionLimit limit);

/// @throws Error when configuration and manifest tell of different numbers of layers
void check_layers(const BaseImage& image);

} // namespace cairn
