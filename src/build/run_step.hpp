#pragma once

#include "build/options.hpp"
#include "build/plan.hpp"
#include "build/roots.hpp"
#include "run/runner.hpp"

#include <vector>

namespace cairn {

/// Lets names be resolved in a root of its own: the machine's resolv.conf, and hosts with the
/// machine's entries and `hosts`, names with their addresses.
/// The invocation's hostname is among them.
void add_name_service(Invocation& invocation, const std::vector<NameValue>& hosts);

/// Runs a RUN's command, with its script at /dev/pipes/<name> when it has one.
Outcome run_action(const RunAction& action, Invocation invocation, StageRoot& root,
                   const LayerStack& stack, Workspace& workspace);

} // namespace cairn
