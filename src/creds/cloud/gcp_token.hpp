#pragma once

#include "creds/cloud/cloud.hpp"

#include <optional>

namespace cairn {

/// An access token for Google Cloud by Application Default Credentials: the file that
/// GOOGLE_APPLICATION_CREDENTIALS names; gcloud's own; the metadata server (GCE_METADATA_HOST),
/// which is also how Workload Identity of GKE answers. Nothing when there is none.
/// @throws Error when a file is there and does not lead to a token
std::optional<CloudToken> find_gcp_token(const CloudServices& services);

/// The token that a file of credentials leads to: "service_account", "external_account" (with a
/// file or a URL as source, and a service account to impersonate if it names one) or
/// "authorized_user". `place` names the file in messages. @throws Error
CloudToken gcp_token_of_file(const CloudServices& services, std::string_view text,
                             const std::string& place);

/// The claim that a service account makes (RFC 7523), signed: the JSON Web Token.
/// @throws Error
std::string gcp_assertion(const Json& key, Time now);

} // namespace cairn
