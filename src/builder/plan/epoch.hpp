#pragma once

#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "builder/plan/remote_source.hpp"
#include "builder/plan/stage_config.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/clock.hpp"

#include <atomic>
#include <optional>
#include <string_view>
#include <vector>

namespace cairn {

/// What the value of SOURCE_DATE_EPOCH can refer to.
struct EpochSurroundings {
  const Dockerfile& dockerfile;
  const std::vector<NameValue>& named_contexts;
  /// The time of a main context that has one: the commit of a repository, what a server said.
  std::optional<Time> context_time;
  const RemoteTime& remote_time; ///< Of other sources; may be none.
  ArgumentValues arguments;
  Place place; ///< Of the ARG that gives the value; a range of {0, 0} without one.
  const std::atomic<bool>* cancel = nullptr; ///< Ends an expansion when it becomes true.
};

/// The time that SOURCE_DATE_EPOCH=`value` means: seconds since 1970; "context"; a named context;
/// or a stage that is nothing but one remote ADD, which is fetched for it. Nothing for "", and for
/// what has no such time: directories, images.
/// @throws Error with a place if there is one
std::optional<Time> resolve_epoch(std::string_view value, const EpochSurroundings& around);

} // namespace cairn
