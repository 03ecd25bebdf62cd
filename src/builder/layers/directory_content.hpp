#pragma once

#include "builder/layers/layer_content.hpp"

#include <string>

namespace cairn {

/// All that is in a directory, itself first: the files are opened when they are asked for.
/// @throws Error
LayerContent read_directory(const std::string& path);

/// Writes entries below a directory, which may have hard links among them. Whiteouts remove what is
/// there. @throws Error
void write_directory(const LayerContent& content, const std::string& path);

} // namespace cairn
