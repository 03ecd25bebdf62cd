#pragma once

#include "apps/shared/credentials.hpp"
#include "registry/mirrors.hpp"
#include "registry/options.hpp"
#include "registry/push.hpp"

#include <optional>
#include <vector>

namespace cairn {

/// Whether a login is proved, or also that one may push.
enum class CheckDepth { login, push };

/// Whether the registry is asked for the right to push before the work begins.
enum class PushCheck { before_work, none };

/// How a program talks to registries.
struct RegistryUse {
  RegistryOptions options;
  RegistryMap mirrors;         ///< Where base images are looked for.
  unsigned extra_attempts = 0; ///< Beyond those that are made anyway.
  PushCheck push_check = PushCheck::before_work;
  ImmutableTags immutable_tags = ImmutableTags::fail;
  std::optional<std::vector<CredentialHelper>> helpers; ///< Nothing: asked_helpers() are all.

  std::vector<CredentialHelper> asked_helpers() const {
    return helpers ? *helpers : all_credential_helpers();
  }
};

} // namespace cairn
