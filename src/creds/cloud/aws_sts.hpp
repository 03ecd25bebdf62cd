#pragma once

#include "creds/cloud/aws_signature.hpp"
#include "creds/cloud/cloud.hpp"

#include <string>

namespace cairn {

/// Where AWS's services answer: what AWS_ENDPOINT_URL_<SERVICE> or AWS_ENDPOINT_URL say, else
/// `usual`.
std::string aws_endpoint(const Variables& environment, std::string_view service,
                         const std::string& usual);

/// "amazonaws.com", in China "amazonaws.com.cn".
std::string_view aws_domain(std::string_view region);

/// A role and who wants it.
struct AwsRole {
  std::string arn;
  std::string session_name = {}; ///< Empty: "cairn".
  std::string external_id = {};
};

/// Temporary keys of AWS's Security Token Service for a role. Both: @throws Error
AwsKeys assume_role_with_token(const CloudServices& services, const std::string& region,
                               const AwsRole& role, const std::string& token);
AwsKeys assume_role_with_keys(const CloudServices& services, const std::string& region,
                              const AwsRole& role, const AwsKeys& keys);

} // namespace cairn
