#pragma once

#include "builder/images/base_image.hpp"
#include "builder/store/verified_blob.hpp"
#include "oci/media_type.hpp"
#include "support/journal.hpp"
#include "support/layer_files.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cairn::test {

/// A base image whose blobs are in memory. It outlives whatever reads from it.
class MemoryImage {
public:
  explicit MemoryImage(const std::vector<Files>& layers) : MemoryImage(tars_of(layers)) {}
  /// Of the blobs of its layers.
  explicit MemoryImage(const std::vector<std::string>& tars) : image_(image_of(tars)) {
    for (const auto& tar : tars)
      blobs_.emplace(Digest::of(tar), std::pair(blobs_.size(), tar));
    image_.open = [this](const Descriptor& blob) {
      const auto& [number, bytes] = blobs_.at(blob.digest);
      opened.add("open " + std::to_string(number));
      return verify_blob(std::make_unique<TextSource>(bytes), blob);
    };
  }
  MemoryImage(const MemoryImage&) = delete;
  MemoryImage& operator=(const MemoryImage&) = delete;

  /// What it says of itself, to be changed before it is shared.
  BaseImage& image() noexcept { return image_; }
  std::shared_ptr<const BaseImage> share() const {
    return std::make_shared<const BaseImage>(image_);
  }
  /// The bytes of a layer from now on: its digest stays.
  void set_bytes(std::size_t layer, std::string bytes) {
    blobs_.at(image_.manifest.layers.at(layer).digest).second = std::move(bytes);
  }

  Journal opened; ///< "open N", for each time that layer N was.

private:
  static BaseImage image_of(const std::vector<std::string>& tars) {
    ImageConfig config;
    std::vector<Descriptor> blobs;
    for (const auto& tar : tars) {
      config.diff_ids.push_back(Digest::of(tar));
      blobs.push_back({std::string(media_type::oci_layer), Digest::of(tar), tar.size()});
    }
    const auto text = config.serialise();
    auto manifest = Manifest::make(
        ImageFormat::oci, {std::string(media_type::oci_config), Digest::of(text), text.size()},
        std::move(blobs), {});
    return {{}, std::move(manifest), std::move(config), std::nullopt, {}};
  }

  static std::vector<std::string> tars_of(const std::vector<Files>& layers) {
    std::vector<std::string> tars;
    for (const auto& files : layers)
      tars.push_back(tar_of(files));
    return tars;
  }

  std::map<Digest, std::pair<std::size_t, std::string>> blobs_;
  BaseImage image_;
};

} // namespace cairn::test
