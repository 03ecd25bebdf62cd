#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/streams.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A program docker-credential-*: `name` says which. "-cairn" knows what was stored with it, and
/// all credential helpers of Cairn; "-ecr-login", "-gcr" and "-acr-env" are the names that
/// kaniko's image has, and know their cloud alone. Reads stdin.
int run_credential_helper(std::string_view name, const std::vector<std::string>& arguments,
                          const ProcessEnvironment& environment, StandardStreams streams);

} // namespace cairn
