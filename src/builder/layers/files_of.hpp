#pragma once

#include "fs/tree/layer_writer.hpp"
#include "util/fd.hpp"

#include <memory>

namespace cairn {

/// Opens the files of `entries` below `root`, which it keeps open.
ContentOpener files_of(std::shared_ptr<const Fd> root, LayerEntries entries);

} // namespace cairn
