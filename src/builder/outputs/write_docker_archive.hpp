#pragma once

#include "builder/layers/image_writer.hpp"
#include "oci/reference.hpp"

#include <string>
#include <vector>

namespace cairn {

/// A tar archive as `docker save` writes it.
void write_docker_archive(const BuiltImage& image, const std::string& path,
                          const std::vector<ImageRef>& names);

} // namespace cairn
