#pragma once

#include "builder/layers/layer_stack.hpp"
#include "builder/store/workspace.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// Unpacks a layer as the lower directory of an overlay, and returns where, and what it holds.
/// `below` is the Tree of the layers below it, all of them among `layers`; null when it stands
/// alone.
std::pair<std::string, LayerIndex> unpack_layer(const StageLayer& layer, std::string directory,
                                                const Tree* below,
                                                const LayerStack::Layers& layers);

/// Tells the layers of a stack where they are unpacked: in --cache-dir if possible, otherwise in
/// the workspace. Those that are not there yet are unpacked now, which loads the stack.
/// @pre !stack.loaded()
void unpack_base(LayerStack& stack, Workspace& workspace);

} // namespace cairn
