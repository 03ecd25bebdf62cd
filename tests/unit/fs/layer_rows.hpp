#pragma once

#include "archives.hpp"

#include <string>
#include <vector>

namespace cairn::test {

using Layers = std::vector<std::vector<Member>>;

/// What layers do to each other. The Tree and both ways of unpacking are held to the same rows.
struct LayerRow {
  Layers layers;
  std::string result; ///< As describe() says it.
  std::string why;
};

std::vector<LayerRow> layer_rows();

} // namespace cairn::test
