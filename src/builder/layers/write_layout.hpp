#pragma once

#include "builder/layers/image_writer.hpp"

#include <optional>
#include <string>

namespace cairn {

/// An OCI image layout whose index names this image alone.
void write_layout(const BuiltImage& image, const std::string& path,
                  const std::optional<std::string>& tag);

} // namespace cairn
