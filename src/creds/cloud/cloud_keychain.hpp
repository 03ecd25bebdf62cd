#pragma once

#include "creds/cloud/cloud.hpp"
#include "creds/docker/credential.hpp"
#include "net/retry.hpp"
#include "util/progress.hpp"

#include <memory>

namespace cairn {

/// The clouds as a Keychain: each is asked for its own registries alone, and what it gave is kept
/// in memory until shortly before it expires. A cloud without an identity here means anonymous, and
/// so does one that fails, with a warning; either is asked again after ten minutes at the earliest.
/// What fails in passing is tried again as `retry` says.
/// `progress` is borrowed.
std::unique_ptr<Keychain> make_cloud_keychain(CloudMinters providers, Retry retry, Clock clock,
                                              Progress& progress);

/// The provider for `registry`; none when it belongs to no cloud.
TokenProvider* provider_for(const CloudMinters& providers, std::string_view registry);

} // namespace cairn
