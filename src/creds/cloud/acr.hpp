#pragma once

#include "creds/cloud/cloud.hpp"

#include <string_view>

namespace cairn {

/// "NAME.azurecr.io", ".cn", ".de" and ".us".
bool is_azure_registry(std::string_view registry);

/// Azure's Container Registry: a token of Azure for a refresh token of the registry, of 3 hours.
std::unique_ptr<TokenProvider> make_acr_token_provider(const CloudServices& services);

} // namespace cairn
