#pragma once

#include "creds/cloud/cloud.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// A registry of Amazon's and the service that opens it.
struct EcrRegistry {
  std::string region;
  std::string url;     ///< Of the API, with "/" at its end.
  std::string service; ///< "ecr" or "ecr-public", as signatures name it.

  bool operator==(const EcrRegistry&) const = default;
};

/// "123456789012.dkr.ecr.eu-west-1.amazonaws.com" and its relatives (FIPS, dual stack, China, the
/// isolated partitions), "public.ecr.aws", "ecr-public.aws.com". Nothing for all other names, and
/// for any with a port.
std::optional<EcrRegistry> parse_ecr_registry(std::string_view registry);

/// Amazon's Elastic Container Registry: the keys of find_aws_keys() for a password of 12 hours.
std::unique_ptr<TokenProvider> make_ecr_token_provider(const CloudServices& services);

} // namespace cairn
