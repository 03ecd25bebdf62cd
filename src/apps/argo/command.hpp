#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/flags.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

/// Serves the plugin protocol until a signal comes.
struct ServeCommand {
  std::uint16_t port = 4355;
  std::string token_file = "/var/run/argo/token"; ///< Empty: whoever reaches the port may ask.
  RegistryUse registry;
  LogOptions log;
};

/// @throws Error naming the flag
std::variant<ServeCommand, TextCommand> parse_plugin(const std::vector<std::string>& arguments,
                                                     const ProcessEnvironment& environment);

std::vector<FlagSpec> plugin_flag_specs();

} // namespace cairn
