#pragma once

#include "creds/docker/credential.hpp"
#include "net/http.hpp"
#include "registry/challenge.hpp"
#include "util/clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A bearer token and until when it is sent.
struct Token {
  std::string text;
  Time expires;
};

/// The answer of a token server (distribution token authentication specification, "Token Response
/// Fields"; RFC 6749 section 5.1): "token" or "access_token", "expires_in" (60 seconds when it is
/// not said), "issued_at". A tenth of the life, at most ten seconds, is left unused.
/// @throws Error when there is no token in it
Token parse_token(std::string_view body, Time now);

/// The request for a token: GET with Basic authorization or none; for an identity token the POST of
/// OAuth 2 with grant_type=refresh_token. @throws Error when the challenge's realm is no URL
Request token_request(const Challenge& challenge, const std::vector<std::string>& scopes,
                      const std::optional<Credential>& credential);

/// "Basic <base64>".
std::string basic_authorization(const std::string& username, const std::string& password);

} // namespace cairn
