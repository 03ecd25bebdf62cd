#pragma once

#include "creds/cloud/cloud.hpp"

#include <string_view>

namespace cairn {

/// gcr.io, *.gcr.io, *.pkg.dev and *.google.com.
bool is_google_registry(std::string_view registry);

/// Google's Artifact and Container Registry: an access token as password.
std::unique_ptr<TokenProvider> make_google_token_provider(const CloudServices& services);

} // namespace cairn
