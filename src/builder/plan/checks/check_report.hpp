#pragma once

#include "dockerfile/lint/linter.hpp"
#include "dockerfile/syntax/source.hpp"

#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// What a build of the Dockerfile would have failed with.
struct CheckError {
  std::string message;
  SourceRange range; ///< {0, 0}: of no line in particular.
  std::exception_ptr error;
};

/// What checking a Dockerfile found.
struct CheckReport {
  SourceFile source;
  std::vector<LintWarning> warnings;                              ///< In the order they were found.
  enum class End { reached, not_reached } end = End::not_reached; ///< An error can hide the rest.
  std::optional<CheckError> error;
};

/// For people: the warnings in the file's order, each with its lines, and their number. The error
/// is for the caller to show.
std::string check_text(const CheckReport& report);

/// For programs, in the shape of BuildKit's lint subrequest: warnings, sources, buildError.
std::string check_json(const CheckReport& report);

} // namespace cairn
