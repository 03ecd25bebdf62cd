#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"
#include "creds/collect.hpp"
#include "creds/docker/config_store.hpp"
#include "oci/reference.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

enum class PrintEnvironment { no, yes };

/// Collects credentials and writes them to a folder.
struct InjectCommand {
  CredentialSources sources;
  ConfigFolder folder;
  std::string auth_file; ///< A second copy; empty: none.
  PrintEnvironment print = PrintEnvironment::no;
  LogOptions log;
};

/// Logs in to the registries of images.
struct CheckCommand {
  std::vector<ImageRef> destinations;
  std::string directory; ///< In place of DOCKER_CONFIG; empty: that.
  CheckDepth depth = CheckDepth::login;
  RegistryUse registry;
  LogOptions log;
};

/// Removes what inject wrote.
struct EraseCommand {
  std::string directory;
  std::string auth_file;
};

/// Prints the variables that lead to a folder.
struct PrintEnvCommand {
  std::string directory;
};

/// Speaks the protocol of credential helpers.
struct HelperCommand {
  std::vector<std::string> words;
};

using CredsCommand = std::variant<InjectCommand, CheckCommand, EraseCommand, PrintEnvCommand,
                                  HelperCommand, TextCommand>;

} // namespace cairn
