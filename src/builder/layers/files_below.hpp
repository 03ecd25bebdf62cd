#pragma once

#include "builder/layers/layer_content.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// LayerContent::begin for files that lie below a directory under the names of their entries.
std::function<ContentOpener(const LayerEntries&)> files_below(std::string directory);

} // namespace cairn
