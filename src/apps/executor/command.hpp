#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/log.hpp"
#include "build/options.hpp"
#include "registry/options.hpp"
#include "registry/transfer.hpp"

#include <string>
#include <variant>
#include <vector>

namespace cairn {

enum class DryRun { no, yes };
/// Whether the registry is asked for the right to push before the build.
enum class PushCheck { before_build, none };
/// Whether KANIKO_<HOST>_USER and _PASSWORD count.
enum class EnvironmentCredentials { use, ignore };

/// How the build talks to registries.
struct RegistryUse {
  RegistryOptions options;
  unsigned extra_attempts = 0; ///< Beyond those that are made anyway.
  ImmutableTags immutable_tags = ImmutableTags::fail;
  PushCheck push_check = PushCheck::before_build;
  EnvironmentCredentials environment_credentials = EnvironmentCredentials::use;
};

/// What was asked of the container's own filesystem. Where commands run in a root of their own it
/// is never touched, and all three hold by themselves.
struct ContainerRoot {
  bool clean_before = false; ///< --pre-cleanup
  bool clean_after = false;  ///< --cleanup
  bool preserve = false;     ///< --preserve-context

  bool any() const noexcept { return clean_before || clean_after || preserve; }
};

struct BuildCommand {
  BuildOptions build;
  RegistryUse registry;
  ContainerRoot container_root;
  LogOptions log;
  DryRun dry_run = DryRun::no;
  std::vector<std::string> warnings; ///< About the command line, for the log.
};

struct VersionCommand {};

struct HelpCommand {
  std::string text;
};

/// What the executor is to do.
using ExecutorCommand = std::variant<BuildCommand, VersionCommand, HelpCommand>;

/// Reads the command line, without the program's name, and the variables that go with it
/// (docs/flags.md). Reads the files that --registry-certificate and --registry-client-cert name.
/// @throws Error naming the flag or variable
ExecutorCommand parse_executor(const std::vector<std::string>& arguments,
                               const ProcessEnvironment& environment);

} // namespace cairn
