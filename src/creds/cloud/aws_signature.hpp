#pragma once

#include "net/http.hpp"
#include "util/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// What signs requests to AWS.
struct AwsKeys {
  std::string id;
  std::string secret;
  std::string session = {};         ///< The session token of temporary keys.
  std::optional<Time> expires = {}; ///< Nothing: they last.
  std::string source = {};          ///< Where they are from, for messages.
};

/// For which service, where, a signature counts.
struct AwsScope {
  std::string_view region;
  std::string_view service;
};

/// Signs a request whose body is text or nothing (AWS Signature Version 4): adds X-Amz-Date, with
/// temporary keys X-Amz-Security-Token, and the value of Authorization. Every header that is there
/// is signed, so that none may be added later.
void sign_aws(Request& request, const AwsKeys& keys, const AwsScope& scope, Time now);

} // namespace cairn
