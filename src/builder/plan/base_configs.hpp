#pragma once

#include "builder/plan/plan.hpp"
#include "oci/image_config.hpp"

#include <vector>

namespace cairn {

/// Gives the configuration of base images: the one thing a plan needs from outside.
class BaseConfigs {
public:
  virtual ~BaseConfigs() = default;
  /// Announces images that will be asked for, so that they can be fetched at the same time.
  virtual void prefetch(const std::vector<ImageSource>& images) = 0;
  /// @throws Error
  virtual ImageConfig config(const ImageSource& image) = 0;
  /// False when config() had nothing better to give than an empty one.
  virtual bool is_known(const ImageSource&) const { return true; }
};

} // namespace cairn
