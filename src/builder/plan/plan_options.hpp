#pragma once

#include "builder/options/build_options.hpp"
#include "builder/plan/checks/plan_checks.hpp"
#include "builder/plan/remote_source.hpp"
#include "util/clock.hpp"

#include <atomic>
#include <optional>
#include <vector>

namespace cairn {

/// Which stages are planned: those that the targets need or, when no target is asked for, all.
enum class StageScope { needed, all };

struct PlanOptions {
  LanguageOptions language;
  std::vector<NameValue> named_contexts; ///< --build-context
  /// What SOURCE_DATE_EPOCH=context means: of a commit or a server; directories have none.
  std::optional<Time> context_time = {};
  RemoteTime remote_time = {}; ///< May be none: then no other source has a time.
  PlanChecks checks = {};
  StageScope scope = StageScope::needed;
  const std::atomic<bool>* cancel =
      nullptr; ///< Ends the planning when it becomes true. May be null.
};

} // namespace cairn
