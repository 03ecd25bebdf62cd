#pragma once

#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/lines.hpp"
#include "dockerfile/syntax/source.hpp"

#include <optional>
#include <string>
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

} // namespace cairn
