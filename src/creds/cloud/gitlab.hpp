#pragma once

#include "creds/docker/credential.hpp"
#include "util/variables.hpp"

#include <memory>
#include <vector>

namespace cairn {

/// What a job of GitLab CI is given, least important first: CI_DEPLOY_USER and _PASSWORD for
/// CI_REGISTRY, CI_REGISTRY_USER and _PASSWORD for it, CI_DEPENDENCY_PROXY_USER and _PASSWORD for
/// CI_DEPENDENCY_PROXY_SERVER. `key` is the server as the variable says it.
std::vector<Credential> gitlab_credentials(const Variables& environment);

/// The same as a Keychain (kaniko's "gitlab" helper), for those servers alone: ports count, except
/// that ":443" is as good as none.
std::unique_ptr<Keychain> make_gitlab_keychain(const Variables& environment);

} // namespace cairn
