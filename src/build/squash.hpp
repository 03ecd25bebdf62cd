#pragma once

#include "build/layer_factory.hpp"
#include "build/layer_stack.hpp"
#include "build/workspace.hpp"

namespace cairn {

/// The layers above the first `base_layers` as one.
LayerContent squashed(LayerStack& stack, std::size_t base_layers, Workspace& workspace);

} // namespace cairn
