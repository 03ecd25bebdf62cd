#pragma once

#include "creds/cloud/cloud.hpp"

#include <optional>
#include <string>

namespace cairn {

/// One of Microsoft's clouds.
struct AzureCloud {
  std::string authority; ///< Where identities log in: "https://login.microsoftonline.com".
  std::string resource;  ///< What tokens are for: "https://management.azure.com/".
};

/// The cloud that AZURE_AUTHORITY_HOST and AZURE_ENVIRONMENT name, or else that of `registry`, by
/// its last label. @throws Error for an environment that does not exist
AzureCloud azure_cloud(const Variables& environment, std::string_view registry);

/// A token for the resource: a client's secret (AZURE_TENANT_ID, AZURE_CLIENT_ID,
/// AZURE_CLIENT_SECRET), its federated token (AZURE_FEDERATED_TOKEN_FILE, AZURE_FEDERATED_TOKEN), a
/// managed identity (IDENTITY_ENDPOINT, MSI_ENDPOINT, the instance's metadata). Nothing when there
/// is none. @throws Error when one is configured and does not work
std::optional<CloudToken> find_azure_token(const CloudServices& services, const AzureCloud& cloud);

} // namespace cairn
