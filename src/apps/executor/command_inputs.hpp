#pragma once

#include "apps/executor/parsed_flags.hpp"
#include "apps/shared/environment.hpp"
#include "apps/shared/flag_set.hpp"

#include <string_view>

namespace cairn {

/// What commands of a build are given by --secret, --ssh, --add-host and --hostname.

/// Each adds the value of one flag. @throws Error without the flag's name
void add_secret(ParsedExecutorFlags& given, const FlagValue& value);
void add_agent(ParsedExecutorFlags& given, const FlagValue& value);
void add_host(ParsedExecutorFlags& given, const FlagValue& value);

/// Reads the secrets, from variables and files, and finds the agent that the environment names.
/// @throws Error
void resolve_commands(ParsedExecutorFlags& given, const ProcessEnvironment& environment);

} // namespace cairn
