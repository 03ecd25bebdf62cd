#pragma once

#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "builder/roots/root_filesystem.hpp"
#include "run/process/runner.hpp"

#include <vector>

namespace cairn {

/// Lets names be resolved in a root of its own: the machine's resolv.conf, and hosts with the
/// machine's entries and `hosts`, names with their addresses.
/// The invocation's hostname is among them.
void add_name_service(Invocation& invocation, const std::vector<NameValue>& hosts);

/// Runs a RUN's command, with its script at /dev/pipes/<name> when it has one.
Outcome run_action(const RunAction& action, Invocation invocation, RootFilesystem& root,
                   const LayerStack& stack, Workspace& workspace);

} // namespace cairn
