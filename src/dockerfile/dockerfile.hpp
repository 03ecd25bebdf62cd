#pragma once

#include "dockerfile/instruction.hpp"
#include "dockerfile/lines.hpp"
#include "dockerfile/linter.hpp"
#include "dockerfile/source.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

struct Stage {
  instruction::From from;
  std::vector<Instruction> instructions; ///< Without the FROM.

  const std::optional<std::string>& name() const noexcept { return from.name; }
};

/// A Dockerfile as written. References between stages are not resolved.
struct Dockerfile {
  SourceFile source;
  Directives directives;
  std::vector<instruction::Arg> global_args; ///< Those before the first FROM.
  std::vector<Stage> stages;                 ///< At least one.
};

/// Parses the language of frontend 1.26. `file_name` is what errors call the file. `linter` is told
/// what is doubtful, also before an error.
/// @throws Error "Dockerfile:12: ..." with an excerpt and, where one can be guessed, a suggestion.
Dockerfile parse_dockerfile(std::string text, std::string file_name, Linter& linter);
Dockerfile parse_dockerfile(std::string text, std::string file_name);

/// An ONBUILD trigger as an image's config holds it. `origin` is what errors call it, e.g.
/// "ONBUILD of busybox". Ranges count within `text`.
/// @throws Error also when it is FROM, MAINTAINER or ONBUILD.
Instruction parse_instruction(std::string text, std::string origin);

} // namespace cairn
