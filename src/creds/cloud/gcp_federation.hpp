#pragma once

#include "creds/cloud/cloud.hpp"

#include <string_view>

namespace cairn {

inline constexpr std::string_view gcp_scope = "https://www.googleapis.com/auth/cloud-platform";

/// Workload identity federation: an "external_account" file names a token of another issuer, which
/// Google's STS takes for one of its own (RFC 8693); with service_account_impersonation_url that
/// one is then exchanged for the service account's. @throws Error
CloudToken gcp_federated_token(const CloudServices& services, const Json& account);

} // namespace cairn
