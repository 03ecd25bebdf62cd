#pragma once

#include "builder/plan/checks/check_report.hpp"
#include "builder/plan/planner.hpp"
#include "fs/pattern/ignore.hpp"
#include "util/progress.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// What is checked: a Dockerfile with the build options that it is meant for.
struct CheckRequest {
  std::string name; ///< What messages call the Dockerfile.
  std::string text;
  std::vector<IgnoreLine> ignore;
  PlanOptions options; ///< `checks` and `scope` are the check's own.
};

/// BUILDKIT_DOCKERFILE_CHECK among the build arguments: options in place of the file's directive.
std::optional<std::string> check_override(const LanguageOptions& language);

/// Plans every stage, or those that the targets need, and builds nothing. An image that is out of
/// reach for now is no error: what depends on it is not checked, and `progress` is told.
/// @throws Error when the override cannot be understood
CheckReport check_dockerfile(CheckRequest request, BaseConfigs& bases, Progress& progress);

} // namespace cairn
