#pragma once

#include "apps/executor/image_command.hpp"
#include "apps/executor/login_command.hpp"
#include "apps/shared/environment.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"
#include "builder/options/build_options.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

enum class DryRun { no, yes };
/// How --check says what it found.
enum class CheckFormat { text, json };
struct BuildCommand {
  BuildOptions build;
  RegistryUse registry;
  LogOptions log;
  std::string trace_file; ///< "" for none.
  DryRun dry_run = DryRun::no;
  std::optional<CheckFormat> check;  ///< Check the Dockerfile and build nothing.
  std::vector<std::string> warnings; ///< About the command line, for the log.
};

struct VersionCommand {};

/// What the executor is to do.
using ExecutorCommand = std::variant<BuildCommand, PushCommand, IndexCommand, LoginCommand,
                                     VersionCommand, HelpCommand>;

} // namespace cairn
