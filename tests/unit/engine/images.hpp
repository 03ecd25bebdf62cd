#pragma once

#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "support/fake_registry.hpp"
#include "support/layer_files.hpp"

#include <string>
#include <vector>

namespace cairn::test {

/// An image as a registry holds it.
struct StoredImage {
  Manifest manifest;
  ImageConfig config;
  std::vector<Files> layers;
};

/// Puts an image of these layers under "REPOSITORY:latest".
StoredImage add_image(FakeRegistry& registry, const std::string& repository,
                      const std::vector<Files>& layers);
StoredImage read_image(const FakeRegistry& registry, const std::string& repository,
                       const std::string& tag = "latest");

} // namespace cairn::test
