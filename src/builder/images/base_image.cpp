#include "builder/images/base_image.hpp"

#include "util/error.hpp"

#include <utility>

namespace cairn {

void check_layers(const BaseImage& image) {
  if (image.config.diff_ids.size() != image.manifest.layers.size())
    throw Error("the manifest has {} layers, the config has {}", image.manifest.layers.size(),
                image.config.diff_ids.size());
}

std::shared_ptr<const BaseImage> make_base_image(const ImageSource& source, FoundImage found,
                                                 ExpansionLimit limit) {
  const auto base = std::make_shared<BaseImage>(
      BaseImage{source, std::move(found.image.manifest), ImageConfig::parse(found.image.config),
                found.image.ref, std::move(found.open), limit, std::move(found.open_range)});
  check_layers(*base);
  return base;
}

} // namespace cairn
