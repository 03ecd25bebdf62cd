#pragma once

#include "apps/argo/plugin_protocol.hpp"
#include "apps/shared/network.hpp"

namespace cairn {

/// Does what a node asks for. Thread-safe as far as its parts are. What went wrong is in the
/// result: "Failed" is for those who wrote the workflow, "Error" may pass when it is tried again.
NodeResult run_plugin_task(const PluginTask& task, Network& network, Progress& progress) noexcept;

} // namespace cairn
