#pragma once

#include "creds/cloud/aws_signature.hpp"
#include "creds/cloud/cloud.hpp"

#include <optional>

namespace cairn {

/// The keys of the container: AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, with the token
/// of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN. Nothing when
/// neither is set. @throws Error
std::optional<AwsKeys> container_aws_keys(const CloudServices& services);

/// The keys of the instance's role (IMDSv2). Nothing where there is no such service, or no role.
/// @throws Error when the service answers and gives none
std::optional<AwsKeys> instance_aws_keys(const CloudServices& services);

} // namespace cairn
