#pragma once

#include "apps/executor/parsed_flags.hpp"
#include "apps/shared/environment.hpp"
#include "apps/shared/flag_set.hpp"

namespace cairn {

/// Adds the options of --git, for contexts that are written as kaniko does. @throws Error without
/// the flag's name
void add_git_options(ParsedExecutorFlags& given, const FlagValue& value);

/// Reads what the environment says of repositories: GIT_PULL_METHOD, GIT_TOKEN, GIT_USERNAME,
/// GIT_PASSWORD and, when there is an agent, SSH_KNOWN_HOSTS or the usual files. @throws Error
void resolve_git(ParsedExecutorFlags& given, const ProcessEnvironment& environment);

} // namespace cairn
