#pragma once

#include "builder/layers/layer_factory.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/store/workspace.hpp"

namespace cairn {

/// The layers above the first `base_layers` as one.
LayerContent squashed(LayerStack& stack, std::size_t base_layers, Workspace& workspace);

} // namespace cairn
