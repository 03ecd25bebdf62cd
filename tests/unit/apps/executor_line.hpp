#pragma once

#include "apps/executor/parse_command.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cairn {

using Words = std::vector<std::string>;

/// A build that is not pushed, with these flags and variables.
inline BuildCommand parse(Words arguments, Words variables = {}) {
  arguments.emplace_back("--no-push");
  return std::get<BuildCommand>(
      parse_executor(arguments, ProcessEnvironment(std::move(variables))));
}

} // namespace cairn
