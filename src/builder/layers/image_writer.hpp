#pragma once

#include "builder/layers/stage_layer.hpp"
#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// A finished image: documents, and where every blob is.
struct BuiltImage {
  Manifest manifest;
  std::string config;                                    ///< The configuration's bytes.
  std::vector<std::shared_ptr<const StageLayer>> layers; ///< Beside manifest.layers.
  /// Repositories that blobs were put into during the build.
  std::map<Digest, std::vector<ImageRef>> put_into = {};
  /// Whether a repository got a blob during the build; may be empty.
  std::function<bool(const ImageRef&, const Digest&)> was_sent = {};
  std::vector<ImageRef> base_images = {}; ///< What it was made from, each with its digest.

  /// The bytes of a blob that the manifest names. Thread-safe. @throws Error
  std::unique_ptr<Source> open(const Descriptor& blob) const;
  /// Repositories that have a blob already.
  std::vector<ImageRef> known_in(const Digest& digest) const;
};

/// Puts the configuration and the manifest together. Waits for layers that are still written.
/// @throws Error
BuiltImage assemble_image(ImageConfig config, std::vector<std::shared_ptr<const StageLayer>> layers,
                          const BuildOptions& options, ImageFormat base_format, Time now);

} // namespace cairn
