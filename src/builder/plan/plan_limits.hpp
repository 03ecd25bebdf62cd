#pragma once

#include "dockerfile/syntax/words.hpp"
#include "oci/environment.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace cairn {

/// What a Dockerfile of a few lines could make a plan grow to without limits.

/// @throws Error when no command could be started with a variable of that size: Linux takes
/// 128 KiB of each (MAX_ARG_STRLEN), its name and the NUL behind it included
void check_variable(std::string_view name, std::string_view value);

/// @throws Error when no command could be started with all of them: a quarter of the usual stack,
/// 2 MiB
void check_variables(const Environment& variables);

/// @throws Cancelled when the program was told to end. `cancel` may be null.
void check_cancelled(const std::atomic<bool>* cancel);

/// `lookup` for an expansion that is to end with the program: one word can hold thousands of
/// variables, each with a pattern of its own. `cancel` may be null; it must outlive the result.
VariableLookup interruptible(VariableLookup lookup, const std::atomic<bool>* cancel);

/// Counts what a plan holds.
class PlanLimits {
public:
  /// A further step: `history` is its part of the image's history, `more` all else that it keeps.
  /// @throws Error when the histories are more than a configuration can hold, or the plan is too
  /// large to be kept
  void add(std::uint64_t history, std::uint64_t more);

private:
  std::uint64_t history_ = 0;
  std::uint64_t all_ = 0;
};

} // namespace cairn
