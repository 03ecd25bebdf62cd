#include "creds/cloud/gcp_federation.hpp"

#include "net/transient_status.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <chrono>

namespace cairn {

namespace {

constexpr std::uint64_t max_token = std::uint64_t{1} << 18;
constexpr std::string_view usual_exchange_url = "https://sts.googleapis.com/v1/token";
constexpr std::string_view exchange_grant = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view access_token_type = "urn:ietf:params:oauth:token-type:access_token";

/// The token in what a file or a URL holds: all of it, or one member of JSON.
std::string subject_token_in(const std::string& text, const Json& source) {
  const auto* format = source.find("format");
  const bool is_json = format != nullptr && format->string_or("type", "text") == "json";
  if (is_json)
    return answer_text(Json::parse(text), answer_text(*format, "subject_token_field_name"));
  if (trim(text).empty())
    throw Error("the token is empty");
  return std::string(trim(text));
}

std::string fetch_subject_token(const CloudServices& services, const Json& source) {
  Request request;
  request.url = answer_text(source, "url");
  const auto* headers = source.find("headers");
  if (headers != nullptr)
    for (const auto& [name, value] : headers->as_object())
      request.headers.add(name, value.as_string());
  // Such addresses are often the machine's own (Azure's IMDS is one).
  auto& http = request.url.starts_with("https:") ? services.http : services.metadata;
  request.redirects = Redirects::keep;
  const auto response = http.send(request);
  require_success(request, response);
  return within([&] { return subject_token_in(response.body, source); }, "{}", describe(request));
}

std::string subject_token(const CloudServices& services, const Json& account) {
  const auto* source = account.find("credential_source");
  if (source == nullptr || !source->is_object())
    throw Error("it has no \"credential_source\"");
  if (const auto path = source->string_or("file", ""); !path.empty())
    return within(
        [&] { return subject_token_in(read_file(current_directory(), path, max_token), *source); },
        "credential_source");
  if (source->find("environment_id") != nullptr || source->find("executable") != nullptr)
    throw with_hint(Error("credential_source: neither AWS nor programs are supported as sources"),
                    "a source of kind file or url is");
  return within([&] { return fetch_subject_token(services, *source); }, "credential_source");
}

/// https://cloud.google.com/iam/docs/reference/credentials/rest: generateAccessToken
CloudToken impersonate(const CloudServices& services, const std::string& url, const Json& account,
                       const std::string& token) {
  require_private(url);
  std::int64_t life = usual_token_life;
  if (const auto* how = account.find("service_account_impersonation"))
    life = answer_seconds(*how, "token_lifetime_seconds", life);
  auto body = Json::object();
  body.set("delegates", Json::array())
      .set("lifetime", std::to_string(life) + "s")
      .set("scope", Json::strings({std::string(gcp_scope)}));
  Request request;
  request.method = "POST";
  request.url = url;
  request.headers.set("Content-Type", "application/json");
  request.authorization = "Bearer " + token;
  request.body = body.compact();
  const auto answer = answer_json(request, send_secret(services.http, request, {token}));
  return within(
      [&] {
        const auto expires = parse_rfc3339(answer_text(answer, "expireTime"));
        return CloudToken{answer_text(answer, "accessToken"),
                          expires.value_or(services.clock() + std::chrono::seconds(life)),
                          {}};
      },
      "{}", describe(request));
}

/// ".../serviceAccounts/NAME@PROJECT.iam.gserviceaccount.com:generateAccessToken"
std::string account_of(const std::string& url) {
  const auto name = url.substr(url.rfind('/') + 1);
  return printable(name.substr(0, name.find(':')));
}

} // namespace

CloudToken gcp_federated_token(const CloudServices& services, const Json& account) {
  const auto subject = subject_token(services, account);
  const auto request =
      form_request(account.string_or("token_url", usual_exchange_url),
                   {{"audience", answer_text(account, "audience")},
                    {"grant_type", std::string(exchange_grant)},
                    {"requested_token_type", std::string(access_token_type)},
                    {"scope", std::string(gcp_scope)},
                    {"subject_token", subject},
                    {"subject_token_type", answer_text(account, "subject_token_type")}});
  const auto answer = answer_json(request, send_secret(services.http, request, {subject}));
  CloudToken token{
      within([&] { return answer_text(answer, "access_token"); }, "{}", describe(request)),
      services.clock() +
          std::chrono::seconds(answer_seconds(answer, "expires_in", usual_token_life)),
      "workload identity federation"};
  const auto url = account.string_or("service_account_impersonation_url", "");
  if (url.empty())
    return token;
  auto impersonated = impersonate(services, url, account, token.text);
  impersonated.source = account_of(url);
  return impersonated;
}

} // namespace cairn
