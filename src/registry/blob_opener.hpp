#pragma once

#include "util/stream.hpp"

#include <functional>
#include <memory>

namespace cairn {

/// A fresh Source of a blob's bytes, at the first one. Called once per attempt, from any thread.
using BlobOpener = std::function<std::unique_ptr<Source>()>;

} // namespace cairn
