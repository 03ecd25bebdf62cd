#include "registry/token.hpp"

#include "net/url.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <chrono>

namespace cairn {

namespace {

constexpr std::string_view client_id = "cairn";
constexpr std::int64_t default_life = 60;
constexpr std::int64_t longest_life = std::int64_t{24} * 3600;
constexpr std::int64_t longest_margin = 10;
constexpr std::uint64_t max_answer = std::uint64_t{1} << 20;

/// Servers differ in the types they give these members; what is odd counts as absent.
std::int64_t stated_life(const Json& answer) {
  const auto* life = answer.find("expires_in");
  const bool usable = life != nullptr && life->kind() == Json::Kind::integer && life->as_int() > 0;
  return usable ? std::min(life->as_int(), longest_life) : default_life;
}

/// The seconds that a token is good for from now on. A token server may hand out one that is
/// already some seconds old; a moment of issue further away is a clock that goes wrong.
std::int64_t life_from(const Json& answer, Time now) {
  auto life = stated_life(answer);
  const auto* stated = answer.find("issued_at");
  const auto issued = stated != nullptr && stated->is_string() ? parse_rfc3339(stated->as_string())
                                                               : std::optional<Time>();
  if (issued) {
    const auto age = unix_seconds(now) - unix_seconds(*issued);
    if (age > 0 && age < life)
      life -= age;
  }
  return life - std::min(life / 10, longest_margin);
}

Request refresh_request(const Url& realm, const std::string& service,
                        const std::vector<std::string>& scopes, const std::string& identity_token) {
  Request request;
  request.method = "POST";
  request.url = realm.str();
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = "grant_type=refresh_token&client_id=" + std::string(client_id) +
                 "&service=" + percent_encode(service) +
                 "&scope=" + percent_encode(join(scopes, " ")) +
                 "&refresh_token=" + percent_encode(identity_token);
  return request;
}

} // namespace

Token parse_token(std::string_view body, Time now) {
  const auto answer = Json::parse(body);
  auto text = answer.string_or("token", "");
  if (text.empty())
    text = answer.string_or("access_token", "");
  if (text.empty())
    throw Error("the answer holds no token");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f; }))
    throw Error("the token holds characters that no header may");
  return {std::move(text), now + std::chrono::seconds(life_from(answer, now))};
}

Request token_request(const Challenge& challenge, const std::vector<std::string>& scopes,
                      const std::optional<Credential>& credential) {
  auto realm = within([&] { return Url::parse(challenge.get("realm")); }, "realm of the challenge");
  const auto service = challenge.get("service");
  if (credential && !credential->identity_token.empty()) {
    auto request = refresh_request(realm, service, scopes, credential->identity_token);
    request.limit = max_answer;
    return request;
  }
  if (!service.empty())
    realm.add_query("service", service);
  for (const auto& scope : scopes)
    realm.add_query("scope", scope);
  Request request;
  request.limit = max_answer;
  if (credential && !credential->password.empty()) {
    realm.add_query("client_id", client_id);
    request.authorization = basic_authorization(credential->username, credential->password);
  }
  request.url = realm.str();
  return request;
}

std::string basic_authorization(const std::string& username, const std::string& password) {
  return "Basic " + base64_encode(username + ":" + password);
}

} // namespace cairn
