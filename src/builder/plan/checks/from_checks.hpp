#pragma once

#include "builder/plan/checks/plan_checks.hpp"
#include "builder/plan/plan.hpp"
#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/words.hpp"

#include <string>
#include <vector>

namespace cairn {

/// The build checks about FROM lines.
class FromChecks {
public:
  /// `known` are the names of all global arguments, with or without a value.
  FromChecks(const PlanChecks& checks, std::vector<std::string> known)
      : checks_(checks), known_(std::move(known)) {}

  /// The base name as the global arguments expand it.
  void base(const instruction::From& from, const Expansion& name) const;
  /// --platform, and what TARGETPLATFORM is.
  void platform(const instruction::From& from, const Expansion& platform,
                const std::string& target) const;

private:
  void arguments(const instruction::From& from, const Expansion& expansion) const;

  const PlanChecks& checks_;
  std::vector<std::string> known_;
};

/// Whether the base name is a name at all when no --build-arg is given.
/// @throws Error when it cannot be expanded
void check_default_base(const PlanChecks& checks, const instruction::From& from,
                        const VariableLookup& defaults, char escape);

/// Whether the image is for the platform that was asked for.
void check_base_platform(const PlanChecks& checks, const instruction::From& from,
                         const ImageSource& asked, const ImageConfig& image);

} // namespace cairn
