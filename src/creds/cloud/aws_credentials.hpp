#pragma once

#include "creds/cloud/aws_signature.hpp"
#include "creds/cloud/cloud.hpp"

#include <optional>
#include <string>

namespace cairn {

/// The keys that this pod has in AWS, looked for where AWS's tools look, in their order: the
/// variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_WEB_IDENTITY_TOKEN_FILE with
/// AWS_ROLE_ARN (IRSA); the profile of the shared files; the container's endpoint (EKS Pod
/// Identity, ECS); the instance's (IMDSv2). `region` is where STS is asked unless the environment
/// or the profile names one. Nothing when there are none.
/// @throws Error when a place that is configured does not give any
std::optional<AwsKeys> find_aws_keys(const CloudServices& services, const std::string& region);

} // namespace cairn
