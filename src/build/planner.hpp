#pragma once

#include "build/options.hpp"
#include "build/plan.hpp"
#include "build/plan_checks.hpp"
#include "build/remote_source.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <optional>
#include <vector>

namespace cairn {

/// Gives the configuration of base images: the one thing a plan needs from outside.
class BaseConfigs {
public:
  virtual ~BaseConfigs() = default;
  /// Announces images that will be asked for, so that they can be fetched at the same time.
  virtual void prefetch(const std::vector<ImageSource>& images) = 0;
  /// @throws Error
  virtual ImageConfig config(const ImageSource& image) = 0;
  /// False when config() had nothing better to give than an empty one.
  virtual bool is_known(const ImageSource&) const { return true; }
};

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

/// Turns a Dockerfile into a Plan. Does nothing but ask `bases`.
/// @throws Error with file, line and excerpt for what is wrong, not supported or too large
Plan make_plan(const Dockerfile& dockerfile, const PlanOptions& options, BaseConfigs& bases,
               Progress& progress);

/// The Plan as text, for --dryrun and golden tests.
std::string print_plan(const Plan& plan);

} // namespace cairn
