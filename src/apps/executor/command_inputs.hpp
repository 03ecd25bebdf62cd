#pragma once

#include "apps/executor/flag_table.hpp"
#include "apps/shared/environment.hpp"

#include <string_view>

namespace cairn {

/// What commands of a build are given by --secret, --ssh, --add-host and --hostname, and
/// repositories by --git.

/// Each adds the value of one flag. @throws Error without the flag's name
void add_secret(ExecutorDraft& draft, const FlagValue& value);
void add_agent(ExecutorDraft& draft, const FlagValue& value);
void add_host(ExecutorDraft& draft, const FlagValue& value);
void add_git_options(ExecutorDraft& draft, const FlagValue& value);

/// Reads the secrets, from variables and files, and finds the agent that the environment names.
/// @throws Error
void settle_commands(ExecutorDraft& draft, const ProcessEnvironment& environment);

/// Reads what the environment says of repositories: GIT_USERNAME and the like, and known_hosts.
/// @throws Error
void settle_git(ExecutorDraft& draft, const ProcessEnvironment& environment);

} // namespace cairn
