#pragma once

#include "apps/creds/command.hpp"
#include "apps/shared/streams.hpp"

#include <atomic>
#include <string>

namespace cairn {

/// Each does what one command asks for. @throws Error

void inject(const InjectCommand& command, const ProcessEnvironment& environment,
            StandardStreams streams, const std::atomic<bool>& cancel);
void erase(const EraseCommand& command, StandardStreams streams);
/// The exit status: errors of single images are printed, and do not keep the others from it.
int check(const CheckCommand& command, const ProcessEnvironment& environment,
          StandardStreams streams, const std::atomic<bool>& cancel);

/// "DOCKER_CONFIG=…" and "REGISTRY_AUTH_FILE=…", a line each, quoted for a shell where need be.
std::string environment_lines(const std::string& folder);

} // namespace cairn
