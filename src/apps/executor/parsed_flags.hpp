#pragma once

#include "apps/executor/command.hpp"
#include "apps/shared/build_args.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Where a secret is: in a variable or in a file; without either, in what is called like its id.
struct SecretFlag {
  enum class Kind { unsaid, file, variable } kind = Kind::unsaid;
  std::string id;
  std::string file;
  std::string variable;
};

/// A command as the flags alone describe it, before variables and rules between flags count.
struct ParsedExecutorFlags {
  BuildCommand command;
  std::vector<BuildArgFlag> build_args;
  std::vector<SecretFlag> secrets;
  std::string hostname;     ///< "" when it was not given.
  std::string context_base; ///< What paths of --context are in; "" for nothing.
  bool no_push = false;
  bool check = false;
  std::optional<CheckFormat> check_format;
  // Nothing: the flag was not given, and a variable may say it.
  std::optional<std::string> work_directory;
  std::optional<bool> preserve_context;
  std::optional<std::size_t> jobs; ///< Nothing: as many as there are CPUs.
  bool help = false;
};

} // namespace cairn
