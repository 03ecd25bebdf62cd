#pragma once

#include "build/options.hpp"
#include "build/plan.hpp"
#include "dockerfile/dockerfile.hpp"
#include "dockerfile/words.hpp"
#include "util/clock.hpp"

#include <functional>
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
  VariableLookup global; ///< Global arguments.
  Place place;           ///< Of the ARG that gives the value; a range of {0, 0} without one.
};

/// The time that SOURCE_DATE_EPOCH=`value` means: seconds since 1970; "context"; a named context;
/// or a stage that is nothing but one remote ADD. Nothing for "", and for directories and images,
/// which have no such time.
/// @throws Error with a place if there is one
std::optional<Time> resolve_epoch(std::string_view value, const EpochSurroundings& around);

} // namespace cairn
