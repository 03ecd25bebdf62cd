#pragma once

#include "creds/cloud.hpp"

namespace cairn {

/// Workload identity federation: an "external_account" file names a token of another issuer, which
/// Google's STS takes for one of its own (RFC 8693); with service_account_impersonation_url that
/// one is then exchanged for the service account's. @throws Error
CloudToken gcp_federated_token(const CloudServices& services, const Json& account);

} // namespace cairn
