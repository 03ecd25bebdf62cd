#pragma once

#include "apps/executor/image_command.hpp"
#include "util/progress.hpp"

#include <atomic>

namespace cairn {

/// What the program around a command lends it.
struct ActionServices {
  const ProcessEnvironment& environment;
  Progress& progress;
  const std::atomic<bool>& cancel;
};

/// Each pushes, and reports when it is done. @throws Error
void push_saved_image(const PushCommand& command, const ActionServices& services);
void push_index(const IndexCommand& command, const ActionServices& services);

} // namespace cairn
