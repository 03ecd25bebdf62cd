#pragma once

#include "creds/docker/credential.hpp"
#include "net/http.hpp"
#include "util/clock.hpp"
#include "util/json.hpp"
#include "util/variables.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// What minting credentials works with; all borrowed but the clock.
struct CloudServices {
  Http& http;
  /// For the addresses at which a machine is told about itself: no proxy, and little patience,
  /// because elsewhere nobody answers there.
  Http& metadata;
  const Variables& environment;
  Clock clock = system_now;
};

struct MintedCredential {
  Credential credential;
  Time expires;
};

/// One cloud's way from the identity of this pod to a credential for its registries.
class TokenProvider {
public:
  virtual ~TokenProvider() = default;
  /// As --credential-helpers names it.
  virtual std::string_view name() const = 0;
  /// Whether `registry`, "host[:port]", is one of this cloud's. No other is ever asked about.
  virtual bool covers(std::string_view registry) const = 0;
  /// Nothing when this pod has no identity in the cloud. @throws Error when it has one that does
  /// not work
  virtual std::optional<MintedCredential> mint(const std::string& registry) = 0;
};

using CloudMinters = std::vector<std::unique_ptr<TokenProvider>>;

/// Seconds that a token is good for when nothing is said of it.
inline constexpr std::int64_t usual_token_life = 3600;

/// A token and until when it is good.
struct CloudToken {
  std::string text;
  Time expires;
  std::string source; ///< Whose it is, for messages.
};

/// Asks an address at which a cloud tells a machine about itself; redirects are not followed.
/// Nothing where nobody answers: this is no machine of that cloud.
std::optional<Response> ask_metadata(const CloudServices& services, Request request);

// Exchanges of secrets for other secrets.

using FormFields = std::vector<std::pair<std::string, std::string>>;

/// "name=value&name=value", percent-encoded.
std::string form_encode(const FormFields& fields);
/// POST of a form. @throws Error when `url` is plain HTTP to another machine
Request form_request(const std::string& url, const FormFields& fields);

/// Sends a request and wants a success; redirects are not followed, since secrets would go with
/// them. What a server says about a failure is shown without any of `secrets` in it.
/// @throws TemporaryError when another try can help, Error otherwise
Response send_secret(Http& http, Request request, const std::vector<std::string>& secrets);

/// The answer as JSON. @throws Error, without the text
Json answer_json(const Request& request, const Response& response);
/// A member that must be there. @throws Error
std::string answer_text(const Json& answer, std::string_view member);

/// A number of seconds, which some servers write as text; `otherwise` when it is neither.
std::int64_t answer_seconds(const Json& answer, std::string_view member, std::int64_t otherwise);

/// https anywhere, http to this machine alone. @throws Error naming the host
void require_private(const std::string& url);

/// A file that holds a token or a key, without white space around it. @throws Error
std::string read_token_file(const std::string& path);

} // namespace cairn
